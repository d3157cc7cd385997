import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { parseProcessType } from '../domain/names.ts';
import {
  appPorts,
  checkPortMap,
  formatPortMapping,
  mappedPort,
  matchesMapping,
  type PortMapping,
  parsePortMapping,
  portsKey,
} from '../domain/port-map.ts';
import { many, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { doing, tell } from './doing.ts';
import { app, portMapping } from './kinds.ts';
import { columns, heading, step } from './lines.ts';
import { checkHostPorts, checkOpen, listeningPorts } from './port-check.ts';
import { defineReport } from './report.ts';

const web = parseProcessType('web');

const list = defineCommand({
  name: 'ports:list',
  summary: 'List the port mappings that were set for an app',
  examples: ['ports:list blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const mappings = stored(context, context.app(input.app));
    if (mappings.length === 0)
      throw new WherryError('not-found', 'No port mappings configured for app', {
        hint: `ports:report ${input.app} shows what holds without`,
      });
    return mappings.map(({ scheme, host, container }) => ({
      scheme,
      host_port: host,
      container_port: container,
    }));
  },
  text(mappings, input) {
    const rows = mappings.map(each => [each.scheme, String(each.host_port), String(each.container_port)]);
    const [head = '', ...lines] = columns([['-----> scheme', 'host port', 'container port'], ...rows]);
    return [step(`Port mappings for ${input.app}`), heading(head), ...lines];
  },
});

const set = defineCommand({
  name: 'ports:set',
  summary: 'Make these the only port mappings of an app',
  description:
    'SCHEME:HOST-PORT:CONTAINER-PORT. The container port is the one that web listens on, and is told in PORT. At http:80 and https:443 the edge listens for all apps; at any other port of the host for those apps alone that map it, by their domains. With grpc and grpcs (HTTP/2 without and with TLS) web is spoken to in HTTP/2, whoever asks. A port for tcp belongs to one app: its connections are carried to the container port, and wake the app. Instances of web that run are replaced as by ps:restart; when the new ones do not listen there, all stays as it was.',
  examples: [
    'ports:set blog http:80:3000',
    'ports:set blog http:80:3000 https:443:3000',
    'ports:set calls grpcs:443:50051',
    'ports:set cache tcp:6379:6379',
  ],
  args: { app, mappings: many(portMapping) },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) => change(context, context.app(input.app), input.mappings),
  text: () => [],
});

const add = defineCommand({
  name: 'ports:add',
  summary: 'Add port mappings to an app',
  examples: ['ports:add blog http:80:3000'],
  args: { app, mappings: many(portMapping) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    return change(context, owner, [...stored(context, owner), ...input.mappings]);
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'ports:remove',
  summary: 'Remove port mappings from an app, by themselves or by the port of the host',
  examples: ['ports:remove blog http:80:3000', 'ports:remove blog 80'],
  args: { app, mappings: many(text('scheme:host:container')) },
  access: { app: 'write' },
  effect: 'write',
  run(context, input) {
    const owner = context.app(input.app);
    const before = stored(context, owner);
    const stray = input.mappings.find(word => !before.some(mapping => matchesMapping(mapping, word)));
    if (stray !== undefined)
      throw new WherryError('not-found', `App ${owner.name} has no port mapping ${stray}. See ports:list.`);
    const left = before.filter(mapping => !input.mappings.some(word => matchesMapping(mapping, word)));
    return change(context, owner, left);
  },
  text: () => [],
});

const clear = defineCommand({
  name: 'ports:clear',
  summary: 'Remove all port mappings from an app: what its image says holds again',
  examples: ['ports:clear blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  run: (context, input) => change(context, context.app(input.app), []),
  text: () => [],
});

const report = defineReport({
  name: 'ports:report',
  summary: 'Show the port mappings of one app or all: as set, and what holds without',
  examples: ['ports:report blog', 'ports:report blog --ports-map-detected'],
  title: 'ports',
  prefix: 'ports-',
  values: (context, each) => ({
    map: stored(context, each).map(formatPortMapping).join(' '),
    'map-detected': detected(context, each),
  }),
});

export const portsCommands = [list, set, add, remove, clear, report];

function stored({ store }: Context, { id }: App): readonly PortMapping[] {
  return store.properties.list(`app:${id}`, portsKey).map(parsePortMapping);
}

/** By the image's own port, or the platform's. */
function detected(context: Context, owner: App): string {
  const live = context.store.releases.live(owner);
  const port = (live && context.store.images.get(live.image).port) ?? 5000;
  const secure = context.urls(owner).some(url => url.startsWith('https:'));
  return [`http:80:${port}`, ...(secure ? [`https:443:${port}`] : [])].join(' ');
}

/** Stores them, has the edge listen, and web if it runs. What does not work is not kept. */
async function change(context: Context, owner: App, wanted: readonly PortMapping[]) {
  const { store, deployer, progress } = context;
  const words = [...new Set(wanted.map(formatPortMapping))].sort();
  const listening = listeningPorts(context);
  checkPortMap(words.map(parsePortMapping), listening);
  const scope = `app:${owner.id}`;
  const before = store.properties.list(scope, portsKey);
  const ports = appPorts(words, listening);
  await checkHostPorts(context, owner, ports);
  store.properties.setList(scope, portsKey, words);
  const said = words.length === 0 ? 'Cleared port mappings' : `Set port mappings ${words.join(' ')}`;
  progress.step(`${said} for ${owner.name}`);
  const runs = !owner.stopped && store.releases.live(owner) !== undefined;
  try {
    await deployer.applyRoutes();
    checkOpen(context, ports);
    if (runs && mappedPort(before) !== mappedPort(words)) await deployer.restart(owner, web, doing(context));
  } catch (error) {
    store.properties.setList(scope, portsKey, before);
    await deployer.applyRoutes();
    throw error;
  }
  tell(context, owner, 'ports', said);
  return { app: owner.name, ports: words };
}
