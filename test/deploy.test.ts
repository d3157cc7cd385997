import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildRequest, FetchedCommit } from '../src/build/builder.ts';
import { createBuilds } from '../src/build/builds.ts';
import { sourceOf } from '../src/deploy/source.ts';
import type { SyncRequest } from '../src/deploy/sync.ts';
import { createDeployer, type Deployer } from '../src/deploy.ts';
import { WherryError } from '../src/domain/errors.ts';
import type { Image } from '../src/domain/image.ts';
import { parseImageRef } from '../src/domain/image-ref.ts';
import {
  type AppName,
  type ProcessType,
  parseAppName,
  parseConfigKey,
  parseDomain,
  parseProcessType,
} from '../src/domain/names.ts';
import type { Progress } from '../src/domain/push.ts';
import { type KnobName, knobKey } from '../src/domain/scaling.ts';
import type { HookName } from '../src/hooks.ts';
import { createHookCaller, type Participant } from '../src/plugin/hook-caller.ts';
import type { Offers } from '../src/receive/offers.ts';
import type { Receiver } from '../src/receive/receiver.ts';
import type { Desired, Runtime } from '../src/runtime/runtime.ts';
import { createSeal } from '../src/store/seal.ts';
import { openStore, type Store } from '../src/store/store.ts';
import { systemClock as clock } from '../src/system/clock.ts';
import { silentLog as log } from '../src/system/log.ts';
import { until } from './support/until.ts';

const quiet: Progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
const doing = { actor: { name: 'ann', via: 'ssh' }, progress: quiet } as const;
const blog = parseAppName('blog');
const web = 'web' as ProcessType;

const image = (digit: string, types: readonly string[] = ['web', 'worker']): Image => ({
  id: `sha256:${digit.repeat(64)}`,
  layers: [],
  env: {},
  workingDir: '/workspace',
  user: { uid: 1000, gid: 1000 },
  entrypoint: [],
  processes: types.map(type => ({ type: type as ProcessType, command: ['true'], workingDir: '/workspace' })),
  labels: {},
});

let store: Store;
let dir: string;
let deployer: Deployer;
let deployed: Desired[];
let nextImage: Image;
let failWith: Error | undefined;
let releaseStatus: number;
/** What was run once, and how each ends. */
let ran: string[];
let statusOf: (command: string) => number;
let roomError: Error | undefined;
let rebaseError: Error | undefined;
let rebasedImage: Image;
let unchanged: boolean;
let did: string[];
let asked: BuildRequest[];
let fetched: FetchedCommit;
let taking: Participant[];

beforeEach(() => {
  store = openStore(':memory:', createSeal(randomBytes(32)));
  dir = mkdtempSync(join(tmpdir(), 'wherry-deploy-'));
  deployed = [];
  nextImage = image('1');
  failWith = undefined;
  releaseStatus = 0;
  ran = [];
  statusOf = () => releaseStatus;
  roomError = undefined;
  rebaseError = undefined;
  rebasedImage = image('9');
  unchanged = false;
  did = [];
  asked = [];
  head.clear();
  taking = [];
  fetched = { commit: 'c'.repeat(40), branch: 'trunk' };
  const run = async (desired: Desired, options: { commit?: () => void } = {}) => {
    if (failWith) throw failWith;
    options.commit?.();
    deployed.push(desired);
    return { create: 0, start: 0, ready: 0, switch: 0 };
  };
  const runtime = {
    deploy: run,
    scale: async (desired: Desired) => void (await run(desired)),
    applyLimits: async (desired: Desired) => void (await run(desired)),
    stop: async () => {},
    remove: async () => {},
    instances: () => [],
    runOnce: async (desired: Desired, options: Parameters<Runtime['runOnce']>[1]) => {
      options.progress.raw('migrating with topsecret');
      if (desired.config['TOKEN']) options.progress.raw(`with ${desired.config['TOKEN']}`);
      ran.push([options.type, ...(options.launcher ?? []), ...options.argv].join(' '));
      const status = statusOf(options.argv.at(-1) ?? '');
      if (status === 0) await options.keep?.('/written');
      return status;
    },
  } as unknown as Runtime;
  deployer = createDeployer({
    hooks: createHookCaller(() => taking, { clock, kept: store.pluginNotices }),
    store,
    builds: createBuilds({ store, paths: { buildLogs: dir, builds: dir }, clock }),
    room: {
      require: async () => {
        if (roomError) throw roomError;
      },
      tidy: async () => {},
      report: () => ({ budget: '', reserve: '', free: 0 }),
    },
    builder: {
      build: async request => {
        asked.push(request);
        return nextImage;
      },
      load: async () => nextImage,
      pull: async () => ({ image: nextImage, digest: `sha256:${'d'.repeat(64)}` }),
      fetch: async () => fetched,
      unpack: async () => ({ dir: '/nowhere', remove: async () => void did.push('removed') }),
      detect: async () => [],
      rebase: async () => {
        if (rebaseError) throw rebaseError;
        return rebasedImage;
      },
      commit: async ({ image: base, written }, keep) =>
        keep({ ...base, id: image('f').id, env: { written } }),
      prepare: async () => {},
      forget: async () => {},
      collect: async () => {},
    },
    receiver: { remove: async () => {}, head: async () => null, offers: () => offers } as unknown as Receiver,
    runtime,
    publishRoutes: async () => {},
    forgetRoute: () => {},
    moveAccessLog: () => {},
    moveFolders: () => {},
    forgetLease: async () => {},
    urls: () => ['http://blog.test'],
    domain: parseDomain('test'),
    clock,
    log,
  });
  deployer.create(blog, doing.actor);
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const head = new Map<string, string>();
const offers: Offers = {
  open: async name => ({ app: name, quarantine: '/nowhere', known: '/known' }),
  offer: async ({ app: name, quarantine }, { branch, commit }) => {
    did.push(`${branch}: ${commit.slice(0, 1)}`);
    const from = head.get(branch) ?? null;
    return { app: name, branch, commit, from, unchanged: from === commit, quarantine };
  },
  commit: async (name, { branch, message, author }) => {
    did.push(`${branch}: ${message} by ${author.name} <${author.email}>`);
    const from = store.releases.live(store.apps.get(name))?.commit ?? null;
    return { app: name, branch, commit: 'b'.repeat(40), from, unchanged, quarantine: '/nowhere' };
  },
  checkout: async ({ commit }) => ({ commit, subject: 'Files', dir: '/nowhere', checkoutMs: 0 }),
  accept: async ({ branch, commit }) => {
    head.set(branch, commit);
    did.push('accepted');
  },
  drop: async () => void did.push('dropped'),
};

describe('a push with -o explain', () => {
  it('has its build explained, and one without has not', async () => {
    const source = { commit: 'a'.repeat(40), subject: 'First', dir: '/nowhere', checkoutMs: 0 };
    const { actor } = doing;
    await push();
    await deployer.push(
      { app: blog, branch: 'main', commit: source.commit, actor, explain: true },
      source,
      doing,
    );
    expect(asked.map(({ explain, fresh }) => ({ explain, fresh }))).toEqual([
      { explain: false, fresh: false },
      { explain: true, fresh: false },
    ]);
  });
});

const push = (name: AppName = blog, progress: Progress = quiet) =>
  deployer.push(
    { app: name, branch: 'main', commit: 'a'.repeat(40), actor: doing.actor },
    { commit: 'a'.repeat(40), subject: 'First', dir: '/nowhere', checkoutMs: 0 },
    { ...doing, progress },
  );
const app = () => store.apps.get(blog);
const last = () => deployed.at(-1);

describe('create', () => {
  it('gives an app its own domain, and one named as a domain that domain', () => {
    expect(store.domains.list(app())).toEqual(['blog.test']);
    const site = deployer.create(parseAppName('www.example.org'), doing.actor);
    expect(store.domains.list(site)).toEqual(['www.example.org']);
  });

  it('makes nothing when the default domain is taken', () => {
    store.domains.add(app(), parseDomain('shop.test'));
    expect(() => deployer.create(parseAppName('shop'), doing.actor)).toThrow(/already used by app blog/);
    expect(store.apps.find(parseAppName('shop'))).toBeUndefined();
  });
});

describe('push', () => {
  it('makes release 1, live, with one web process', async () => {
    const release = await push();
    expect(release.version).toBe(1);
    expect(store.releases.live(app())?.version).toBe(1);
    expect([...(last()?.counts ?? [])]).toEqual([
      ['web', 1],
      ['worker', 0],
    ]);
  });

  it('refuses a build for which the disk has no room', async () => {
    roomError = new WherryError('build-failed', 'The disk of this host has 1m left.');
    await expect(push()).rejects.toThrow('has 1m left');
    expect(store.releases.list(app())).toEqual([]);
    expect(store.builds.list(app())[0]).toMatchObject({
      status: 'failed',
      reason: 'The disk of this host has 1m left.',
    });
  });

  it('leaves the old release live when the new one does not start', async () => {
    await push();
    failWith = new WherryError('check-failed', 'web.1 exited with status 1 before it was ready');
    nextImage = image('2');
    await expect(push()).rejects.toThrow('exited with status 1');
    expect(store.releases.live(app())?.version).toBe(1);
    expect(store.releases.list(app())[0]?.status).toBe('failed');
    expect(store.events.list({ app: blog, limit: 1 })[0]).toMatchObject({ kind: 'deploy-failed' });
  });

  it('does not deploy when the release phase fails', async () => {
    nextImage = image('3', ['web', 'release']);
    releaseStatus = 4;
    await expect(push()).rejects.toThrow('release task failed: it exited with status 4');
    expect(deployed).toEqual([]);
  });
});

describe('scripts of an app.json', () => {
  const all = { predeploy: 'assets', release: 'migrate', first: 'seed', postdeploy: 'ping' };
  const scripted = (digit: string, scripts: Image['scripts'], types = ['web']): Image => ({
    ...image(digit, types),
    entrypoint: ['/cnb/lifecycle/launcher', '--'],
    scripts: scripts ?? {},
  });

  it('run in their order around the start, that of the first deploy once', async () => {
    nextImage = scripted('4', all);
    await push();
    expect(ran).toEqual([
      'predeploy /cnb/lifecycle/launcher -- bash -c assets',
      'release /cnb/lifecycle/launcher -- bash -c migrate',
      'postdeploy /cnb/lifecycle/launcher -- bash -c seed',
      'postdeploy /cnb/lifecycle/launcher -- bash -c ping',
    ]);
    ran = [];
    await push();
    expect(ran.map(each => each.split(' ').at(-1))).toEqual(['assets', 'migrate', 'ping']);
    ran = [];
    await deployer.releaseConfig(app(), 'Set A', doing);
    await deployer.rollback(app(), 1, doing);
    expect(ran).toEqual([]);
  });

  it('put what predeploy wrote into the image of the release', async () => {
    nextImage = scripted('4', { predeploy: 'assets' });
    await push();
    expect(last()?.image.env).toEqual({ written: '/written' });
    statusOf = () => 1;
    await expect(push()).rejects.toThrow('dokku.predeploy');
    expect(store.events.list({ app: blog, limit: 1 })[0]).toMatchObject({
      kind: 'deploy-failed',
      message: expect.stringMatching(/^v2 failed: Execution of script dokku.predeploy/),
    });
    expect(store.releases.list(app())).toHaveLength(1);
  });

  it('are of sh alone in an image from elsewhere, and give way to a release process', async () => {
    nextImage = { ...scripted('5', all, ['web', 'release']), entrypoint: ['node'] };
    await push();
    expect(ran).toEqual([
      'predeploy /bin/sh -c assets',
      'release node true',
      'postdeploy /bin/sh -c seed',
      'postdeploy /bin/sh -c ping',
    ]);
  });

  it.each([
    ['assets', 'script dokku.predeploy of app.json', 1],
    ['migrate', 'script release of app.json', 2],
    ['seed', 'script postdeploy of app.json', 3],
  ])('that fail leave what runs alone: %s', async (command, words, count) => {
    nextImage = scripted('6', all);
    statusOf = given => (given === command ? 9 : 0);
    await expect(push()).rejects.toThrow(
      `Execution of ${words} failed: it exited with status 9. The running release stays.`,
    );
    expect(ran).toHaveLength(count);
    expect(deployed).toEqual([]);
    expect(store.releases.live(app())).toBeUndefined();
    // Not the first time that it was tried, but still the first deploy.
    statusOf = () => 0;
    ran = [];
    await push();
    expect(ran).toHaveLength(4);
  });

  it('do not run for the first time when the app ran before', async () => {
    await push();
    nextImage = scripted('7', { first: 'seed' });
    await push();
    expect(ran).toEqual([]);
  });

  it('that fail when the release serves are told, and undo nothing', async () => {
    nextImage = scripted('8', { postdeploy: 'ping' });
    statusOf = () => 3;
    const warned: string[] = [];
    const release = await push(blog, { ...quiet, warn: text => void warned.push(text) });
    expect(store.releases.live(app())?.version).toBe(release.version);
    const message = 'v1 is live, but script dokku.postdeploy of app.json failed: it exited with status 3';
    expect(warned).toContain(message);
    expect(store.events.list({ app: blog, limit: 1 })[0]).toMatchObject({ kind: 'script-failed', message });
  });
});

describe('env of an app.json', () => {
  const wanting = async (envRules: Image['envRules'], progress: Progress = quiet) => {
    nextImage = { ...image('a'), envRules: envRules ?? {} };
    await push(blog, progress);
    return last()?.config ?? {};
  };
  const set = (key: string, value: string) =>
    store.config.set(app(), new Map([[parseConfigKey(key), value]]));

  it('gives the app values and secrets that it has not, and keeps them', async () => {
    set('LEVEL', 'debug');
    const rules = {
      LEVEL: { value: 'info', required: true },
      NAME: { value: 'it’s\n"$x"', required: true },
      TOKEN: { secret: true, required: true },
    } as const;
    const first = await wanting(rules);
    expect(first).toMatchObject({ LEVEL: 'debug', NAME: 'it’s\n"$x"' });
    expect(first['TOKEN']).toMatch(/^[0-9a-f]{64}$/);
    expect((await wanting(rules))['TOKEN']).toBe(first['TOKEN']);
  });

  it('does not bring back what was unset, but what is new', async () => {
    await wanting({ NAME: { value: 'x', required: false } });
    store.config.unset(app(), parseConfigKey('NAME'));
    const rules = { NAME: { value: 'x', required: false }, MORE: { value: 'y', required: false } };
    expect(await wanting(rules)).toEqual({ MORE: 'y' });
  });

  it('keeps a value in step where it says so', async () => {
    await wanting({ NAME: { value: 'x', required: true, sync: true } });
    set('NAME', 'mine');
    expect(await wanting({ NAME: { value: 'z', required: true, sync: true } })).toEqual({ NAME: 'z' });
  });

  it('refuses the first deploy without what is required, before anything runs, and warns later ones', async () => {
    const rules = { KEY: { required: true }, MAYBE: { required: false } };
    await expect(wanting(rules)).rejects.toThrow('app.json requires KEY, and blog has no value for it.');
    expect([ran, store.releases.list(app())]).toEqual([[], []]);
    set('KEY', 'given');
    expect(await wanting(rules)).toEqual({ KEY: 'given' });
    store.config.unset(app(), parseConfigKey('KEY'));
    const warned: string[] = [];
    await wanting(rules, { ...quiet, warn: text => void warned.push(text) });
    expect(warned).toEqual([
      'app.json requires KEY, and blog has no value for it. Set it with "config:set blog KEY=...".',
    ]);
  });

  it('does not show a secret that it has just made', async () => {
    const shown: string[] = [];
    nextImage = {
      ...image('b', ['web', 'release']),
      envRules: { TOKEN: { secret: true, required: true } },
    };
    await push(blog, { ...quiet, raw: text => void shown.push(text), step: text => void shown.push(text) });
    expect(shown).toContain('with [masked]');
    expect(shown.join()).not.toContain(store.config.own(app())['TOKEN']);
  });
});

describe('plugins', () => {
  const heard: [HookName, unknown][] = [];
  const plugin = (answers: { readonly [Name in HookName]?: unknown } = {}): Participant => ({
    name: 'gate',
    part: 'code',
    takes: () => true,
    call: async (hook, event) => {
      heard.push([hook, event]);
      return answers[hook];
    },
    failed: () => {},
  });
  const names = () => heard.map(([hook]) => hook);
  beforeEach(() => {
    heard.length = 0;
  });

  it('take part in a push at every border', async () => {
    taking = [plugin({ 'build-environment': { STAGE: 'test', PORT: '1' } })];
    store.config.set(app(), new Map([[parseConfigKey('PORT'), '2']]));
    await push();
    await until('the last word', () => names().includes('after-deploy'), { every: 1 });
    expect(names()).toEqual([
      ...['before-build', 'build-environment', 'after-build', 'before-deploy', 'after-deploy'],
    ]);
    // What the app is set to goes before what a plugin adds.
    expect(asked[0]?.config).toEqual({ STAGE: 'test', PORT: '2' });
    expect(heard.at(-1)?.[1]).toMatchObject({
      ...{ app: 'blog', version: 1, commit: 'a'.repeat(40), actor: 'ann', urls: ['http://blog.test'] },
      message: 'v1 is live: Deploy aaaaaaaa First',
    });
  });

  it('keep a commit from being built, and a release from going live', async () => {
    await push();
    taking = [plugin({ 'before-build': { veto: 'Frozen.' } })];
    await expect(push()).rejects.toThrow('Plugin gate does not allow it: Frozen.');
    expect(asked.length).toBe(1);
    taking = [plugin({ 'before-deploy': { veto: 'Not reviewed.' } })];
    await expect(push()).rejects.toThrow('Not reviewed.');
    expect(store.releases.live(app())?.version).toBe(1);
    expect(deployed.length).toBe(1);
    await until('the last word', () => names().filter(name => name === 'deploy-failed').length === 2, {
      every: 1,
    });
    expect(heard.at(-1)?.[1]).toMatchObject({
      app: 'blog',
      message: expect.stringContaining('Not reviewed.'),
    });
  });
});

describe('the formation of an app.json', () => {
  const web = parseProcessType('web');
  const counts = () => Object.fromEntries(last()?.counts ?? []);
  let images = 0;
  const pushed = async (formation: Image['formation']) => {
    nextImage = { ...image(String(++images)), ...(formation && { formation }) };
    await push();
  };
  const set = (scope: string, name: KnobName, value: string | undefined) =>
    store.properties.set(scope, knobKey('web', name), value);

  it('says how many run, until ps:scale does', async () => {
    await pushed({ web: { quantity: 3 }, worker: { quantity: 2 }, clock: { quantity: 9 } });
    expect(counts()).toEqual({ web: 3, worker: 2 });
    await deployer.scale(app(), new Map([[web, 1]]), doing);
    await push();
    expect(counts()).toEqual({ web: 1, worker: 2 });
  });

  it('is of its release: the next one has its own, and a rollback brings the old one back', async () => {
    await pushed({ web: { quantity: 3, autoscaling: { max: '5' } } });
    expect(deployer.scaling(app(), web)).toMatchObject({ automatic: true, min: 3, max: 5 });
    await pushed(undefined);
    expect(counts()).toEqual({ web: 1, worker: 0 });
    expect(deployer.scaling(app(), web)).toMatchObject({ automatic: false, min: 1, max: 1 });
    await deployer.rollback(app(), 1, doing);
    expect(counts()).toEqual({ web: 3, worker: 0 });
    expect(deployer.scaling(app(), web)).toMatchObject({ automatic: true, min: 3, max: 5 });
  });

  it('counts for nothing when its release did not become live', async () => {
    await pushed({ web: { quantity: 2 } });
    failWith = new WherryError('check-failed', 'web.1 exited with status 1.');
    await expect(pushed({ web: { quantity: 9 } })).rejects.toThrow('web.1 exited');
    expect(deployer.formation(app())).toEqual({ web: { quantity: 2 } });
  });

  it('goes before what is set for all apps, and behind what is set for this one', async () => {
    set('global', 'idle', '1h');
    set('global', 'target', '99');
    await pushed({ web: { autoscaling: { min: '0', max: '4', idle: '5m' } } });
    expect(deployer.scaling(app(), web)).toMatchObject({ min: 0, max: 4, idle: 300_000, target: 99 });
    set(`app:${app().id}`, 'idle', '1m');
    expect(deployer.scaling(app(), web)).toMatchObject({ min: 0, max: 4, idle: 60_000 });
  });

  it.each([
    ['min', '6', { min: 6, max: 6 }],
    ['max', '2', { min: 2, max: 2 }],
  ] as const)('gives way where %s=%s does not fit with it', async (name, value, rules) => {
    await pushed({ web: { autoscaling: { min: '3', max: '4' } } });
    set(`app:${app().id}`, name, value);
    expect(deployer.scaling(app(), web)).toMatchObject(rules);
    set(`app:${app().id}`, name, undefined);
    set('global', name, value);
    expect(deployer.scaling(app(), web)).toMatchObject({ min: 3, max: 4 });
  });
});

describe('loadImage', () => {
  it('makes a release of an archive, without a commit, and records it as a build', async () => {
    const sent = { name: 'boat:1', archive: Readable.from([]) };
    const release = await deployer.loadImage(app(), sent, doing);
    expect(release).toMatchObject({ version: 1, commit: null, description: 'Deploy image boat:1' });
    expect(store.releases.live(app())?.image).toBe(nextImage.id);
    expect(store.builds.list(app())).toMatchObject([{ kind: 'build', commit: null }]);
  });
});

describe('pullImage', () => {
  const pull = async (name: string, force = false) =>
    await deployer.pullImage(app(), { ref: parseImageRef(name), force }, doing);

  it('makes a release that says which image it is from, by its digest', async () => {
    expect(await pull('boat:1')).toMatchObject({
      version: 1,
      commit: null,
      sourceImage: 'docker.io/library/boat:1',
      description: 'Deploy image docker.io/library/boat:1 (sha256:dddddddddddd)',
    });
  });

  it('deploys nothing where image and config are what they were, unless it is forced', async () => {
    await pull('boat:1');
    expect((await pull('boat:1')).version).toBe(1);
    expect(deployed).toHaveLength(1);
    expect((await pull('boat:1', true)).version).toBe(2);
  });

  it.each([
    [
      'image',
      () => {
        nextImage = image('7');
      },
    ],
    ['config', () => store.config.set(app(), new Map([[parseConfigKey('A'), '1']]))],
    ['release, by a push,', async () => void (await push())],
  ])('deploys again where the %s changed', async (_, change) => {
    await pull('boat:1');
    await change();
    const before = deployed.length;
    await pull('boat:1');
    expect(deployed).toHaveLength(before + 1);
  });

  it('is what a rebuild does again, also after a change of config and a rollback', async () => {
    await pull('boat:1');
    await deployer.releaseConfig(app(), 'Set A', doing);
    await push();
    await deployer.rollback(app(), 2, doing);
    nextImage = image('8');
    expect(await deployer.rebuild(app(), { explain: false }, doing)).toMatchObject({
      sourceImage: 'docker.io/library/boat:1',
    });
    expect(last()?.image.id).toBe(nextImage.id);
  });
});

describe('fromArchive', () => {
  const sent = { name: 'https://example.org/a.tgz', archive: Readable.from([]), again: false };

  it('deploys a commit of its files and moves the branch to it then', async () => {
    const release = await deployer.fromArchive(app(), sent, doing);
    expect(release).toMatchObject({
      version: 1,
      commit: 'b'.repeat(40),
      description: 'Deploy bbbbbbbb Files',
    });
    expect(did).toEqual([
      'main: Files of https://example.org/a.tgz by ann <ann@test>',
      'removed',
      'accepted',
      'dropped',
    ]);
    expect(app().deployBranch).toBe('main');
    expect(store.builds.list(app())).toMatchObject([{ kind: 'build', status: 'succeeded', release: 1 }]);
  });

  it('goes to the deploy branch, by the author that was given', async () => {
    store.apps.setDeployBranch(app(), 'live');
    await deployer.fromArchive(app(), { ...sent, author: { name: 'Eve' } }, doing);
    expect(did[0]).toBe('live: Files of https://example.org/a.tgz by Eve <ann@test>');
  });

  it('does nothing for files that run already, unless asked', async () => {
    await deployer.fromArchive(app(), sent, doing);
    unchanged = true;
    did = [];
    expect(await deployer.fromArchive(app(), sent, doing)).toBeUndefined();
    expect(did.slice(1)).toEqual(['removed', 'dropped']);
    expect((await deployer.fromArchive(app(), { ...sent, again: true }, doing))?.version).toBe(2);
  });

  it('leaves branch and release as they were when the new version does not start', async () => {
    failWith = new WherryError('check-failed', 'web.1 did not start');
    await expect(deployer.fromArchive(app(), sent, doing)).rejects.toThrow('web.1 did not start');
    expect(did.slice(1)).toEqual(['removed', 'dropped']);
    expect([app().deployBranch, store.releases.live(app())]).toEqual([null, undefined]);
  });
});

describe('sync', () => {
  const wanted = { url: new URL('https://example.org/blog.git'), ref: undefined, keepBranch: false } as const;
  const sync = async (build: 'no' | 'yes' | 'changed', more: Partial<SyncRequest> = {}) =>
    await deployer.sync(app(), { ...wanted, build, ...more }, doing);

  it('lets the build know where the code came from', async () => {
    await sync('yes');
    expect(asked.at(-1)?.source.origin).toBe('https://example.org/blog.git');
  });

  it('takes the branch over and builds nothing unless asked', async () => {
    expect(await sync('no')).toEqual({ commit: 'c'.repeat(40), branch: 'trunk' });
    expect(did).toEqual(['trunk: c', 'accepted', 'dropped']);
    expect([app().deployBranch, store.releases.list(app())]).toEqual(['trunk', []]);
    expect(sourceOf(store.properties, app(), 'c'.repeat(40))).toBe('https://example.org/blog.git');
    expect(sourceOf(store.properties, app(), 'a'.repeat(40))).toBeUndefined();
  });

  it('builds what changed, and what did not only when told', async () => {
    expect((await sync('changed')).release?.version).toBe(1);
    expect(did).toEqual(['trunk: c', 'accepted', 'dropped']);
    expect((await sync('changed')).release).toBeUndefined();
    expect((await sync('yes')).release?.version).toBe(2);
  });

  it('builds what was only fetched before', async () => {
    await sync('no');
    expect((await sync('changed')).release?.version).toBe(1);
  });

  it('puts a tag, or any branch when told so, on the deploy branch as it is', async () => {
    store.apps.setDeployBranch(app(), 'live');
    expect((await sync('no', { keepBranch: true })).branch).toBe('live');
    fetched = { commit: 'd'.repeat(40) };
    expect((await sync('no', { ref: 'v1' })).branch).toBe('live');
    expect(app().deployBranch).toBe('live');
  });

  it('leaves branch, deploy branch and release when the new version does not start', async () => {
    failWith = new WherryError('check-failed', 'web.1 did not start');
    await expect(sync('yes')).rejects.toThrow('web.1 did not start');
    expect(did).toEqual(['trunk: c', 'dropped']);
    expect([app().deployBranch, store.releases.live(app())]).toEqual([null, undefined]);
  });
});

describe('the record of builds', () => {
  const recorded = () =>
    store.builds.list(app()).map(({ kind, status, release }) => ({ kind, status, release }));

  it('has what was built, and what was only deployed', async () => {
    await push();
    await deployer.releaseConfig(app(), 'Set A', doing);
    await deployer.rollback(app(), 1, doing);
    expect(recorded()).toEqual([
      { kind: 'deploy', status: 'succeeded', release: 3 },
      { kind: 'deploy', status: 'succeeded', release: 2 },
      { kind: 'build', status: 'succeeded', release: 1 },
    ]);
  });

  it('shows no secret of the release phase, to nobody', async () => {
    store.config.set(app(), new Map([[parseConfigKey('KEY'), 'topsecret']]));
    nextImage = image('3', ['web', 'release']);
    const lines: string[] = [];
    await push(blog, { ...quiet, raw: line => void lines.push(line) });
    expect(lines).toEqual(['migrating with [masked]']);
    const log = readFileSync(join(dir, 'blog', '1.log'), 'utf8');
    expect(log).toContain('migrating with [masked]\n');
    expect(log).not.toContain('topsecret');
  });

  it('tells a failure with its reason, and goes with the app', async () => {
    failWith = new WherryError('check-failed', 'web.1 did not start');
    await expect(push()).rejects.toThrow('web.1 did not start');
    expect(store.builds.get(app(), 1)).toMatchObject({ status: 'failed', reason: 'web.1 did not start' });
    await deployer.destroy(app(), doing);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('config', () => {
  it('becomes a release of the same image', async () => {
    await push();
    store.config.set(app(), new Map([[parseConfigKey('A'), '1']]));
    const release = await deployer.releaseConfig(app(), 'Set A', doing);
    expect(release?.version).toBe(2);
    expect(last()?.config).toEqual({ A: '1' });
    expect(last()?.image.id).toBe(nextImage.id);
  });

  it('starts nothing of an app that was stopped, or never deployed', async () => {
    expect(await deployer.releaseConfig(app(), 'Set A', doing)).toBeUndefined();
    await push();
    await deployer.stop(app(), undefined, doing);
    deployed.length = 0;
    expect((await deployer.releaseConfig(app(), 'Set A', doing))?.version).toBe(2);
    expect(deployed).toEqual([]);
  });
});

describe('rollback', () => {
  it('brings image, config and processes back together, as a new release', async () => {
    store.config.set(app(), new Map([[parseConfigKey('A'), 'old']]));
    await push();
    nextImage = image('2', ['web']);
    store.config.set(app(), new Map([[parseConfigKey('A'), 'new']]));
    await push();
    const release = await deployer.rollback(app(), undefined, doing);
    expect(release.version).toBe(3);
    expect(last()?.config).toEqual({ A: 'old' });
    expect(last()?.counts.has('worker' as ProcessType)).toBe(true);
    expect(store.config.own(app())).toEqual({ A: 'old' });
  });

  it('refuses a release that never ran, that does not exist, or when there is none', async () => {
    await expect(deployer.rollback(app(), undefined, doing)).rejects.toThrow(/no earlier release/);
    await expect(deployer.rollback(app(), 7, doing)).rejects.toThrow(/Release v7 of app blog does not exist/);
    failWith = new Error('bug');
    await expect(push()).rejects.toThrow('bug');
    await expect(deployer.rollback(app(), 1, doing)).rejects.toThrow(/never ran/);
  });

  it('keeps the config when the old release does not start any more', async () => {
    await push();
    store.config.set(app(), new Map([[parseConfigKey('A'), 'new']]));
    await push();
    failWith = new WherryError('check-failed', 'no');
    await expect(deployer.rollback(app(), 1, doing)).rejects.toThrow('no');
    expect(store.config.own(app())).toEqual({ A: 'new' });
  });
});

describe('rebase', () => {
  const how = { force: false };

  it('makes a release of the same config and commit that rollback undoes', async () => {
    store.config.set(app(), new Map([[parseConfigKey('A'), 'pushed']]));
    await push();
    store.config.set(app(), new Map([[parseConfigKey('A'), 'not yet released']]));
    const release = await deployer.rebase(app(), how, doing);
    expect(release).toMatchObject({ version: 2, commit: 'a'.repeat(40), image: rebasedImage.id });
    expect(last()).toMatchObject({ config: { A: 'pushed' }, image: { id: rebasedImage.id } });
    expect(store.builds.list(app())[0]).toMatchObject({ kind: 'deploy', status: 'succeeded', release: 2 });
    expect((await deployer.rollback(app(), 1, doing)).version).toBe(3);
    expect(last()?.image.id).toBe(nextImage.id);
  });

  it('makes none where nothing is newer', async () => {
    await push();
    rebasedImage = nextImage;
    expect(await deployer.rebase(app(), how, doing)).toBeUndefined();
    expect(store.releases.list(app())).toHaveLength(1);
  });

  it('makes none where it cannot be done, as for an image of a Dockerfile', async () => {
    await push();
    rebaseError = new WherryError('conflict', 'App blog runs an image that is not made on a stack.');
    await expect(deployer.rebase(app(), how, doing)).rejects.toThrow('not made on a stack');
    expect(store.releases.list(app())).toHaveLength(1);
    expect(deployed).toHaveLength(1);
  });

  it('leaves the old release live when the rebased one does not start', async () => {
    await push();
    failWith = new WherryError('check-failed', 'no');
    await expect(deployer.rebase(app(), how, doing)).rejects.toThrow('no');
    expect(store.releases.live(app())?.version).toBe(1);
  });

  it('starts nothing of an app that was stopped', async () => {
    await push();
    await deployer.stop(app(), undefined, doing);
    deployed.length = 0;
    expect((await deployer.rebase(app(), how, doing))?.version).toBe(2);
    expect([deployed, store.releases.live(app())?.version]).toEqual([[], 2]);
  });
});

describe('scale, limits, quota', () => {
  it('refuses a type that the release does not have and stores nothing', async () => {
    await push();
    await expect(deployer.scale(app(), new Map([['nope' as ProcessType, 1]]), doing)).rejects.toThrow(
      'nope is not a valid process name to scale up',
    );
    expect(store.formation.get(app()).size).toBe(0);
  });

  it('stores counts only when they were reached', async () => {
    await push();
    failWith = new WherryError('check-failed', 'no memory');
    await expect(deployer.scale(app(), new Map([[web, 3]]), doing)).rejects.toThrow('no memory');
    expect(store.formation.get(app()).size).toBe(0);
    failWith = undefined;
    await deployer.scale(app(), new Map([[web, 3]]), doing);
    expect(store.formation.get(app()).get(web)).toBe(3);
  });

  it('stores a limit only when the kernel took it', async () => {
    await push();
    failWith = new WherryError('invalid', 'below use');
    await expect(deployer.limit(app(), 'web', { memory: 2 ** 26 }, doing)).rejects.toThrow('below use');
    expect(store.limits.rows(app())).toEqual([]);
    failWith = undefined;
    await deployer.limit(app(), 'web', { memory: 2 ** 26 }, doing);
    expect(last()?.limits(web).memory).toBe(2 ** 26);
    expect(store.events.list({ app: blog, limit: 1 })[0]?.message).toBe(
      'Each web process may use 64m of memory',
    );
    await deployer.limit(app(), 'web', { memory: null }, doing);
    expect(store.limits.rows(app())).toEqual([]);
  });
});

describe('destroy', () => {
  it("forgets the app's credentials and leaves everybody's", async () => {
    const old = app();
    const login = { host: 'registry.test', user: 'ann', password: 'topsecret' };
    store.credentials.put('registry', old, login);
    store.credentials.put('registry', 'global', login);
    await deployer.destroy(old, doing);
    expect(store.credentials.list('registry', old)).toEqual([]);
    expect(store.credentials.list('registry', 'global')).toHaveLength(1);
  });

  it('frees name and domain', async () => {
    await push();
    await deployer.destroy(app(), doing);
    expect(store.apps.find(blog)).toBeUndefined();
    expect(store.images.list()).toEqual([]);
    expect(deployer.create(blog, doing.actor).name).toBe('blog');
  });
});
