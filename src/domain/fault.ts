import { WherryError } from './errors.ts';
import { quoteForPeople } from './names.ts';

/** Every place where a test may end, stop or break the daemon, and what is so there: those of a push in the order that it reaches them. */
export const faultPoints = {
  'receive:hook': 'the objects of a push are in quarantine, nothing is checked out',
  'receive:source': 'its tree is checked out',
  'build:begin': 'the build has a folder to work in',
  'build:source': 'the source is a layer',
  'build:detect': 'the buildpacks were asked, and their sandbox is open',
  'build:sandbox': 'the sandbox of the build is open, nothing has run in it',
  'build:layers': 'everything was built, and its sandbox is open',
  'build:export': 'layers of the build are in the store, no image names them',
  'build:adopt': 'a layer is on its way into the store, and has not its name yet',
  'build:record': 'the image is complete, and the next build does not know of it',
  'release:stored': 'the release is stored and pending',
  'release:ran': 'its release process has run',
  'deploy:created': 'its instances are made',
  'deploy:started': 'they were started',
  'deploy:ready': 'they are ready',
  'deploy:committed': 'the release is live, visitors are still served by the one before',
  'deploy:switched': 'visitors are served by it, the one before drains',
  'deploy:recorded': 'the build is recorded as one that worked',
  'receive:refs': 'git is not yet told to move its branch',
  'receive:moved': 'the branch has moved',
  'rename:stored': 'an app has its new name in the database, and the old one on the host',
  'rename:moved': 'its folders have the new name, and its instances run in the group of the old one',
  'rename:replaced': 'its instances were replaced, and the group of the old name is there',
  'secrets:key': 'a new key is kept beside the old one, and nothing is sealed with it',
  'secrets:some': 'some of what is sealed has the new key',
  'secrets:all': 'all of it has, and the old key is still kept',
  'config:stored': 'config has its new values, and what runs has the old ones',
  'scale:made': 'instances are as many as was asked for, and the database does not know',
  'limit:applied': 'the kernel has new limits, and the database does not know',
  'sleep:noted': 'an app is about to sleep, its instances still run',
  'sleep:done': 'its instances are frozen or stopped',
  'wake:ready': 'an instance of an app that slept is ready, and gets no requests',
  'destroy:begun': 'an app is to be destroyed, everything of it is there',
  'destroy:stopped': 'its instances are gone',
  'destroy:emptied': 'its repository and builds are gone, the database has it',
  'destroy:removed': 'the database does not have it, the edge has its routes',
  'volume:made': 'storage of a size has its file system, and is not mounted',
  'volume:unmounted': 'storage that is to go is not mounted any more',
  'certs:stored': 'a certificate is stored, and the edge does not know of it',
  'acme:issued': 'a certificate was issued by its authority, and is not fetched',
  'acme:stored': 'it is stored, and the edge does not know of it',
  'command:done': 'what a command changed is stored, and nobody is told',
} as const;

export type FaultPoint = keyof typeof faultPoints;

const ways = ['kill', 'stop', 'error'] as const;

/** What shall happen at a point: SIGKILL, SIGSTOP, or an error that nobody expects. */
export type Fault = { readonly point: FaultPoint; readonly way: (typeof ways)[number] };

/** `POINT` (which kills) or `POINT:kill|stop|error`; nothing when empty. @throws invalid */
export function parseFault(text: string): Fault | undefined {
  if (text === '') return undefined;
  const way = ways.find(name => text.endsWith(`:${name}`));
  const point = way === undefined ? text : text.slice(0, -way.length - 1);
  if (isPoint(point)) return { point, way: way ?? 'kill' };
  throw new WherryError(
    'invalid',
    `${quoteForPeople(text)} is no fault point. Give one of ${Object.keys(faultPoints).join(', ')}, with :kill, :stop or :error behind it.`,
  );
}

function isPoint(text: string): text is FaultPoint {
  return Object.hasOwn(faultPoints, text);
}
