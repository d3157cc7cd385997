import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Buildpack, escapedId } from '../../../src/build/lifecycle/buildpack.ts';
import type { ProgramStep } from '../../../src/build/lifecycle/container.ts';
import { detect } from '../../../src/build/lifecycle/detect.ts';
import type { Progress } from '../../../src/domain/push.ts';
import { aBuildpack } from './support/a-buildpack.ts';

type Answer = {
  readonly code?: number;
  readonly says?: string;
  readonly plan?: string;
  /** Ends only when it is stopped. */
  readonly hangs?: boolean;
};

let plans: string;
beforeEach(() => {
  plans = mkdtempSync(join(tmpdir(), 'wherry-detect-'));
});
afterEach(() => rmSync(plans, { recursive: true, force: true }));

const needsOther = { targets: [{ os: 'windows', arch: '', variant: '', distros: [] }] };

/** Detects with a sandbox that answers for the buildpacks; `a?` is optional in its group. */
async function run(
  groups: readonly string[],
  answers: Record<string, Answer> = {},
  special: Record<string, Partial<Buildpack>> = {},
  stack = { distro: { name: 'debian', version: '12' }, env: { PATH: '/bin' } },
) {
  const asked: ProgramStep[] = [];
  let [running, most] = [0, 0];
  const said: string[] = [];
  const known = new Map<string, Buildpack>();
  const get = (id: string) => {
    const buildpack = known.get(id) ?? aBuildpack({ id, ...special[id] });
    known.set(id, buildpack);
    return buildpack;
  };
  const order = groups.map(group =>
    group.split(' ').map(word => ({ buildpack: get(word.replace('?', '')), optional: word.endsWith('?') })),
  );
  const container = {
    run: async (step: ProgramStep): Promise<number> => {
      asked.push(step);
      running += 1;
      most = Math.max(most, running);
      await new Promise(resolve => setImmediate(resolve));
      const { code = 0, says, plan, hangs } = answers[step.buildpack.id] ?? {};
      if (hangs) await stopOf(step);
      running -= 1;
      if (says !== undefined) step.onOutput(Buffer.from(`${says}\n`));
      if (plan !== undefined) writeFileSync(join(plans, `${escapedId(step.buildpack.id)}.toml`), plan);
      return code;
    },
  };
  const say = (text: string) => void said.push(text);
  const progress: Progress = { header: say, step: say, detail: say, warn: say, raw: say };
  const result = await detect({
    order,
    stack,
    container,
    source: plans,
    plans,
    platform: new Set(),
    progress,
  }).catch(error => error);
  const ids = 'group' in result ? result.group.map(({ id }: Buildpack) => id).join(' ') : undefined;
  return { ids, error: result.message, plan: result.plan, asked, said, most };
}
/** As a sandbox ends a program: with an error of its own. */
async function stopOf({ signal }: ProgramStep): Promise<never> {
  if (!signal?.aborted) await new Promise(resolve => signal?.addEventListener('abort', resolve));
  throw new Error('stopped');
}
const asked = ({ asked }: { asked: readonly ProgramStep[] }) => asked.map(({ buildpack }) => buildpack.id);

describe('detection', () => {
  it('D1 hands every buildpack a plan file of its own, by argument and by name', async () => {
    const result = await run(['a/b c'], {}, { 'a/b': { api: '0.7' } });
    expect(result.asked.map(({ args }) => args)).toEqual([
      ['/platform', '/cnb/plans/a_b.toml'],
      ['/platform', '/cnb/plans/c.toml'],
    ]);
    for (const name of ['a_b.toml', 'c.toml']) {
      expect(readFileSync(join(plans, name), 'utf8')).toBe('');
      expect(statSync(join(plans, name)).mode & 0o777).toBe(0o666);
    }
  });

  it('D2 tells passing, failing and erring apart', async () => {
    expect((await run(['a'])).ids).toBe('a');
    expect((await run(['a'], { a: { code: 100, says: 'no' } })).error).toContain(
      'No buildpack can build this',
    );
    const erred = await run(['a'], { a: { code: 1, says: 'broken' } });
    expect(erred.error).toBe('Detection by buildpack a failed; its output is above.');
  });

  it('D2 remembers an error when later groups merely fail, and drops optional ones that fail or err', async () => {
    const answers = { a: { code: 2 }, b: { code: 100 } };
    expect((await run(['a', 'b'], answers)).error).toContain('Detection by buildpack a failed');
    expect((await run(['a? b? c'], answers)).ids).toBe('c');
  });

  it('D2 counts a plan that cannot be read as an error of its buildpack', async () => {
    const result = await run(['a', 'b'], { a: { plan: '= 1' } });
    expect(result.ids).toBe('b');
    expect(result.said.join()).toContain('build plan of a is not TOML at line 1');
  });

  it('D3 takes the first group in which every buildpack passes that is not optional, and at least one', async () => {
    const answers = { a: { code: 100 } };
    expect((await run(['a b', 'a? c', 'd'], answers)).ids).toBe('c');
    expect((await run(['a?', 'b'], answers)).ids).toBe('b');
    expect((await run(['a?'], answers)).ids).toBeUndefined();
  });

  it('D4 asks each buildpack once, however many groups it is in', async () => {
    const result = await run(['a b', 'a c', 'a d'], { b: { code: 100 }, c: { code: 100 } });
    expect([result.ids, asked(result)]).toEqual(['a d', ['a', 'b', 'c', 'd']]);
  });

  it('D4 asks those of later groups meanwhile, four at a time', async () => {
    const fails = { code: 100 };
    const groups = ['a', 'b', 'c', 'd', 'e', 'f'];
    const result = await run(groups, { a: fails, b: fails, c: fails, d: fails, e: fails });
    expect([result.ids, asked(result), result.most]).toEqual(['f', groups, 4]);
  });

  it('D4 waits for none of a later group once one passes, and tells nothing of what they said', async () => {
    const answers = { b: { hangs: true }, c: { code: 9, says: 'c erred' } };
    const result = await run(['a', 'b', 'c', 'd', 'e', 'f', 'g'], answers);
    expect([result.ids, result.said]).toEqual(['a', []]);
    expect(asked(result)).not.toContain('g');
  });

  it('asks none that says what its detect needs where there is nothing of it', async () => {
    writeFileSync(join(plans, 'here'), '');
    const special = { a: { detectNeeds: ['missing'] }, b: { detectNeeds: ['missing', 'here'] } };
    const result = await run(['a', 'a? b'], {}, special);
    expect([result.ids, asked(result)]).toEqual(['b', ['b']]);
  });

  it('D7 goes on to the next group when the plans of one do not work out', async () => {
    const answers = { a: { plan: '[[requires]]\nname = "x"\n' }, b: { plan: '[[provides]]\nname = "x"\n' } };
    expect((await run(['a', 'a b', 'b a'], answers)).ids).toBe('b a');
    const version = { a: { plan: '[[requires]]\nname = "x"\nversion = "1"\n' } };
    expect((await run(['a'], version)).said.join()).toContain('use metadata.version');
  });

  it('D11 keeps the order of buildpacks and plan entries', async () => {
    const answers = {
      a: { plan: '[[provides]]\nname = "z"\n[[provides]]\nname = "y"\n' },
      b: { plan: '[[requires]]\nname = "y"\n[[requires]]\nname = "z"\n[requires.metadata]\nversion = "1"\n' },
    };
    const result = await run(['a b'], answers);
    expect(result.plan.entries.map(({ name }: { name: string }) => name)).toEqual(['z', 'y']);
    expect(result.plan.entries[0].requires).toEqual([{ name: 'z', metadata: { version: '1' } }]);
  });

  it('D12 shows what erring detects printed always, and what the others did only if no group passes', async () => {
    const answers = {
      a: { says: 'a passed' },
      b: { code: 100, says: 'b failed' },
      c: { code: 3, says: 'c erred' },
    };
    const passed = await run(['a b? c?'], answers);
    expect([passed.ids, passed.said.includes('c erred')]).toEqual(['a', true]);
    expect(passed.said.join()).not.toMatch(/a passed|b failed/);
    const failed = await run(['a b c'], answers);
    for (const line of ['a passed', 'b failed', 'c erred']) expect(failed.said).toContain(line);
  });

  it('D13 skips buildpacks for other execution environments without failing the group', async () => {
    const special = {
      a: { api: '0.12', execEnvs: ['test'] },
      b: { api: '0.12', execEnvs: ['*'] },
      c: { api: '0.12', execEnvs: ['test', 'production'] },
      d: { api: '0.11', execEnvs: ['test'] },
    };
    expect((await run(['a b c d'], {}, special)).ids).toBe('b c d');
  });

  it('A6 does not ask a buildpack that is for another target, and fails its group', async () => {
    const special = { a: needsOther };
    const result = await run(['a', 'b'], {}, special);
    expect([result.ids, asked(result)]).toEqual(['b', ['b']]);
    expect((await run(['a'], {}, special)).error).toMatch(/^Buildpack a is not for linux\//);
  });

  it('A6 goes by the distribution of the stack that the app is on, and gives its environment', async () => {
    const onTrixie = [{ os: 'linux', arch: '', variant: '', distros: [{ name: 'debian', version: '13' }] }];
    const special = { a: { targets: onTrixie } };
    const trixie = { distro: { name: 'debian', version: '13' }, env: { PATH: '/usr/trixie' } };
    const result = await run(['a', 'b'], {}, special, trixie);
    expect([result.ids, result.asked[0]?.base]).toEqual(['a', { PATH: '/usr/trixie' }]);
    expect((await run(['a'], {}, special)).error).toMatch(/^Buildpack a is not for linux\/\w+, debian 12\./);
  });

  it('A6 asks an optional one all the same', async () => {
    expect((await run(['a? b'], {}, { a: needsOther })).ids).toBe('a b');
  });
});
