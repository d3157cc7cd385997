import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frontEnds, openFrontEnds, type Wish } from './front-ends.ts';

// One decision for the same wish, wherever it comes from: the same exit status and the same sentence.

let ends: Awaited<ReturnType<typeof openFrontEnds>>;
beforeAll(async () => {
  ends = await openFrontEnds();
  await ends.bench.deployed('blog');
  await ends.bench.deployed('other');
  ends.bench.store.people.ensure('bea', new Date());
  await ends.bench.run('domains:add', 'other', 'taken.example.com');
});
afterAll(() => ends.close());

type Case = readonly [number: number, what: string, exit: number, wish: Wish];

const memory = (text: string): Wish => ({
  words: ['resource:limit', `--memory=${text}`, 'blog'],
  body: { app: 'blog', memory: text },
});
const quota = (text: string): Wish => ({
  words: ['quota:set', 'blog', `--memory=${text}`],
  body: { app: 'blog', memory: text },
});
const scale = (count: string, type = 'web'): Wish => ({
  words: ['ps:scale', 'blog', `${type}=${count}`],
  body: { app: 'blog', counts: { [type]: count } },
});
const image = (text: string): Wish => ({
  words: ['git:from-image', '--', 'blog', text],
  body: { app: 'blog', image: text },
});
const mount = (text: string): Wish => ({
  words: ['storage:mount', '--', 'blog', text],
  body: { app: 'blog', mount: text },
});
const sync = (url: string): Wish => ({
  words: ['git:sync', '--', 'blog', url],
  body: { app: 'blog', repository: url },
});
const cpus = (text: string): Wish => ({
  words: ['resource:limit', `--cpu=${text}`, 'blog'],
  body: { app: 'blog', cpu: text },
});
const option = (text: string): Wish => ({
  words: ['docker-options:add', 'blog', 'deploy', ...text.split(' ')],
  body: { app: 'blog', phases: 'deploy', option: text.split(' ') },
});
const knob = (text: string): Wish => ({
  words: ['autoscale:set', 'blog', text],
  body: { app: 'blog', settings: [text] },
});
const property = (command: string, name: string, value: string): Wish => ({
  words: [command, 'blog', name, value],
  body: { app: 'blog', property: name, value },
});
const events = (num: string): Wish => ({
  words: ['events', 'blog', `--num=${num}`],
  body: { app: 'blog', num },
});
const logs = (num: string): Wish => ({ words: ['logs', 'blog', `--num=${num}`], body: { app: 'blog', num } });
const domain = (name: string): Wish => ({
  words: ['domains:add', 'blog', '--', name],
  body: { app: 'blog', domains: [name] },
});

const amounts = [
  '0',
  '-1',
  '-1m',
  '1e9',
  'NaN',
  'Infinity',
  '0.1k',
  '999T',
  '0x40m',
  '1_000',
  '64 mm',
  '\u0661\u0662m',
  '1,5g',
  '9'.repeat(400),
];

const login = (host: string): Wish => ({
  words: ['registry:login', '--password-stdin', '--', 'blog', host, 'ann'],
  body: { app: 'blog', server: host, user: 'ann', passwordStdin: true },
  stdin: 'secret\n',
});
const inside = [
  '127.0.0.1:1',
  '[::1]:1',
  '0x7f000001:1',
  '2130706433:1',
  '169.254.169.254',
  'localhost:1',
  '[::ffff:127.0.0.1]:1',
  '0:1',
];

const cases: readonly Case[] = [
  ...amounts.flatMap((text): Case[] => [
    [45, `memory ${text.slice(0, 12)}`, 1, memory(text)],
    [45, `a quota of ${text.slice(0, 12)}`, 1, quota(text)],
  ]),
  ...['0', '-1', '1e3', 'NaN', '1025', '0.0001', '1,5'].map(
    (text): Case => [45, `${text} CPUs`, 1, cpus(text)],
  ),
  ...['-1', '1e6', '1000000', '101', '1.5', 'x', '', ' 1', '+1', '0x1', '1\n', '9'.repeat(30)].map(
    (text): Case => [46, `a scale of ${text}`, 1, scale(text)],
  ),
  [46, 'a scale of a process that there is not', 1, scale('1', 'nothing')],
  ...[
    'min=-1',
    'max=1e6',
    'max=101',
    'target=0',
    'idle=-1s',
    'idle=1e9d',
    'idle=NaN',
    'nothing=1',
    'min',
  ].map((text): Case => [46, `a scale by itself with ${text}`, text === 'min=3' ? 0 : 1, knob(text)]),
  ...[
    '',
    ' ',
    'a b',
    'a@',
    'a@sha256:0',
    'a:',
    ':x',
    'a:b:c',
    '@sha256:',
    'a//b',
    '../a',
    'A/B',
    '-v',
    'http://a/b',
    'a'.repeat(2000),
  ].map((text): Case => [49, `an image named ${text.slice(0, 12)}`, 1, image(text)]),
  ...[
    '/:/data',
    '/var/run/docker.sock:/sock',
    '/run/docker.sock:/sock',
    '/proc:/p',
    '/etc:/e',
    '/etc/shadow:/e',
    '/root/.ssh:/k',
    '../x:/data',
    'a/../../x:/data',
    '/srv/../etc:/e',
    '/srv//x:/e',
    'blog:/',
    'blog:data',
    'blog:/a/../..',
    'blog:/data:exec',
    'blog:/data:rw:ro',
    'blog',
    ':/data',
    'blog:',
    '/srv/x\n:/data',
    '-v:/data',
  ].map((text): Case => [50, `a mount of ${text}`, 1, mount(text)]),
  ...[
    '--privileged',
    '-v /:/host',
    '--volume=/var/run/docker.sock:/x',
    '--pid=host',
    '--network host',
    '--cap-add SYS_ADMIN',
    '--device /dev/sda',
    '--security-opt seccomp=unconfined',
    '--userns=host',
    '--mount type=bind,source=/,target=/x',
  ].map((text): Case => [50, `the option ${text}`, 1, option(text)]),
  [61, 'a domain of another app', 22, domain('taken.example.com')],
  [
    61,
    'a process of an app that there is not',
    20,
    { words: ['ps:restart', 'nobody'], body: { app: 'nobody' } },
  ],
  [
    61,
    'a token of somebody that there is not',
    1,
    { words: ['tokens:create', 'nobody', 'ci'], body: { user: 'nobody', name: 'ci' } },
  ],
  [
    62,
    'a token that is over before it begins',
    1,
    {
      words: ['tokens:create', 'bea', 'ci', '--expires', '-1d'],
      body: { user: 'bea', name: 'ci', expires: '-1d' },
    },
  ],
  ...['1e9', '-1', '0.5', 'x', '', '9'.repeat(20)].flatMap((num): Case[] => [
    [67, `${num} events`, 1, events(num)],
    [67, `${num} lines of logs`, 1, logs(num)],
  ]),
  ...['/etc/passwd', 'a\nb', '../x', '/x', 'a/../../b'].map(
    (text): Case => [27, `the build folder ${text}`, 1, property('builder:set', 'build-dir', text)],
  ),
  ...[
    'file:///etc',
    'unix:///run/x',
    'ext::sh -c id',
    'git://example.org/x',
    '-oProxyCommand=id',
    '/etc',
    '',
  ].map((url): Case => [69, `code from ${url}`, 1, sync(url)]),
  ...inside.map((host): Case => [69, `a registry at ${host}`, host.startsWith('[') ? 1 : 21, login(host)]),
];

describe('a setting that cannot be', () => {
  it.each(cases)(
    '(%i) %s ends with %i and one sentence, alike at every front end',
    async (_number, _what, exit, wish) => {
      const came = [];
      for (const end of frontEnds) came.push(await ends.do(end, wish));
      const [first] = came;
      expect(came.slice(1), JSON.stringify(came)).toEqual([first, first]);
      expect(first?.said).toMatch(/^[\x20-\x7e\u2019]{10,500}$/);
      expect(first?.exit).toBe(exit);
      expect(ends.bugs()).toEqual([]);
    },
  );
});

describe('fields that were not asked for', () => {
  it.each(['owner', 'team', 'actor', 'via', 'id', 'createdAt', '__proto__', 'constructor', 'words'])(
    '(68) such as %s are refused, and nothing is made',
    async field => {
      const body = JSON.parse(`{"app":"mine","${field}":{"name":"root"}}`);
      const { exit, said } = await ends.do('api', { words: ['apps:create'], body });
      expect([exit, said]).toEqual([2, expect.stringContaining('is not known to apps:create')]);
      expect(ends.bench.store.apps.list()).toHaveLength(2);
    },
  );
});

describe('an empty object', () => {
  it('(68) is nothing: it neither sets nor releases anything', async () => {
    const told = ends.bench.runtime.told.length;
    const set = await ends.do('api', { words: ['config:set'], body: { app: 'blog', pairs: {} } });
    expect(set).toEqual({ exit: 2, said: '<KEY=VALUE> is missing for config:set.' });
    const scaled = await ends.do('api', { words: ['ps:scale'], body: { app: 'blog', counts: {} } });
    expect(scaled.exit).toBe(0);
    expect(ends.bench.runtime.told).toHaveLength(told);
  });
});
