import { Readable } from 'node:stream';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../../src/commands/define.ts';
import { guardGit } from '../../src/commands/git-access.ts';
import { readInvocation, readWords } from '../../src/commands/grammar.ts';
import { createCoreRegistry } from '../../src/commands/index.ts';
import { appOf, givenBy, parseWords } from '../../src/commands/parse.ts';
import { WherryError } from '../../src/domain/errors.ts';
import { parseAppName } from '../../src/domain/names.ts';
import type { Actor } from '../../src/domain/push.ts';
import { splitWords } from '../../src/domain/words.ts';
import { builtInCommands } from '../../src/plugin/built-in-commands.ts';
import type { GitSession } from '../../src/receive/receiver.ts';
import { silentLog } from '../../src/system/log.ts';
import { type Bench, createBench } from './support.ts';

/** Of one length, so that answers can be compared byte by byte. */
const hidden = 'hidden';
const absent = 'absent';

const registry = createCoreRegistry();
for (const command of await builtInCommands()) registry.add(command);
const ofApps = registry.list().flatMap(command => {
  const words = exampleFor(command);
  return words ? [[command.name, command, words] as const] : [];
});

const people: Readonly<Record<string, Actor>> = {
  'nobody in particular': { name: 'bob', via: 'ssh' },
  'an admin of another app': { name: 'eve', via: 'ssh' },
  'a token for another app': {
    name: 'ann',
    via: 'api',
    token: 'ci',
    scope: { role: undefined, apps: ['other'].map(parseAppName) },
  },
};
const who = Object.entries(people);

let bench: Bench;
let work: string[];
const start = async () => {
  bench = createBench();
  for (const command of registry.list())
    if (!bench.registry.lookup(command.name)) bench.registry.add(command);
  for (const name of [hidden, 'other']) await bench.deployed(name);
  for (const name of ['bob', 'eve']) bench.store.people.ensure(name, new Date());
  bench.store.people.grant('eve', 'admin', bench.store.apps.get(parseAppName('other')));
  countWork();
};

/** Notes each question to the database by its name. */
function countWork(): void {
  work = [];
  for (const [part, methods] of Object.entries(bench.store) as [string, Record<string, unknown>][]) {
    if (typeof methods !== 'object') continue;
    for (const [name, method] of Object.entries(methods)) {
      if (typeof method !== 'function') continue;
      methods[name] = (...given: unknown[]) => {
        work.push(`${part}.${name}`);
        return method.apply(methods, given);
      };
    }
  }
}

type Answer = { readonly said: unknown; readonly work: readonly string[] };

async function answered(app: string, ask: () => Promise<unknown>): Promise<Answer> {
  work.length = 0;
  const said: unknown = JSON.parse(JSON.stringify(await ask()).replaceAll(app, '<app>'));
  return { said, work: [...work] };
}

const told = (error: unknown) => {
  if (!(error instanceof WherryError)) throw error;
  return { code: error.code, exit: error.exitCode, message: error.message, hint: error.hint ?? null };
};

describe('an app that one may not see is one that is not there', () => {
  beforeAll(start);

  describe.each(who)('to %s', (_who, actor) => {
    it.each(ofApps)('by %s', async (_name, command, words) => {
      const typed = async (app: string) =>
        await bench.runWith({ words: named(words, app), actor, stdin: '' });
      const [seen, none] = [
        await answered(hidden, () => typed(hidden)),
        await answered(absent, () => typed(absent)),
      ];
      expect(seen).toEqual(none);
      expect((seen.said as { code: number }).code).not.toBe(0);

      const asked = async (app: string) => {
        const { rest, globals } = readInvocation(named(words, app));
        const body = givenBy(command, readWords(command, rest, globals));
        const call = { command, body, force: true, actor, stdin: Readable.from([]) };
        const client = {
          progress: { header() {}, step() {}, detail() {}, warn() {}, raw() {} },
          open() {},
          async give() {},
        };
        return await bench
          .callJson({ ...call, client, signal: new AbortController().signal })
          .then(exit => ({ exit }), told);
      };
      expect(await answered(hidden, () => asked(hidden))).toEqual(
        await answered(absent, () => asked(absent)),
      );
    });

    it.each(['receivePack', 'uploadPack'] as const)('by git (%s)', async verb => {
      const git = guardGit(
        { receivePack: async () => 0, uploadPack: async () => 0 },
        { ...bench.services, log: silentLog },
      );
      const asked = async (app: string) =>
        await git[verb]({ app: parseAppName(app), actor } as GitSession).then(exit => ({ exit }), told);
      const seen = await answered(hidden, () => asked(hidden));
      expect(seen).toEqual(await answered(absent, () => asked(absent)));
      expect(seen.said).toMatchObject({ exit: 20 });
    });
  });
});

describe('what says that something is taken', () => {
  beforeEach(start);
  const eve: Actor = { name: 'eve', via: 'ssh' };
  const asEve = async (...words: string[]) => await bench.runWith({ words, actor: eve });

  it.each(['domains:add', 'domains:set'])('names no app that one may not see: %s', async command => {
    await bench.run('domains:add', hidden, 'taken.example.org');
    const refused = await asEve(command, 'other', 'taken.example.org');
    expect([refused.code, refused.stderr]).toEqual([
      22,
      ' !     Domain taken.example.org is already used by another app. Choose another.\n',
    ]);
    await bench.run('access:grant', 'eve', 'viewer', hidden);
    expect((await asEve(command, 'other', 'taken.example.org')).stderr).toContain(`by app ${hidden}`);
  });

  it('names no such app of a port', async () => {
    bench.store.properties.setList(`app:${bench.store.apps.get(parseAppName(hidden)).id}`, 'ports', [
      'tcp:9999:5000',
    ]);
    const refused = await asEve('ports:add', 'other', 'tcp:9999:5000');
    expect(refused.stderr).toContain('by the map of another app');
    expect(refused.stderr).not.toContain(hidden);
    await bench.run('access:grant', 'eve', 'viewer', hidden);
    expect((await asEve('ports:add', 'other', 'tcp:9999:5000')).stderr).toContain(`of app ${hidden}`);
  });

  it('is no such thing for a word that is the name of an app, in the folder of another', async () => {
    const asked = async (word: string) =>
      (await asEve('config:get', '--here', 'other', word)).stderr.replaceAll(word, '<word>');
    expect(await asked(hidden)).toBe(await asked(absent));
    await bench.run('config:set', '--no-restart', 'other', `${hidden}=1`);
    expect((await asEve('config:get', '--here', 'other', hidden)).stdout).toBe('1\n');
  });
});

function named(words: readonly string[], app: string): string[] {
  return words.map(word => (word === '<app>' ? app : word));
}

/** The words of its first example that names an app, which is `<app>` then. */
function exampleFor(command: Command): readonly string[] | undefined {
  for (const example of command.examples ?? []) {
    const words = splitWords(example.replace(/ <.*$/, ''));
    const { rest, globals } = readInvocation(words);
    const app = appOf(command, parseWords(command, readWords(command, rest, globals)));
    if (app && !app.isNew) return words.map((word, at) => (at === words.indexOf(app.name) ? '<app>' : word));
  }
  return undefined;
}
