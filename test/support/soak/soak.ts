import { probe } from '../apps.ts';
import { frozen } from '../freezers.ts';
import type { Repository } from '../git.ts';
import { mulberry, weighted } from '../random.ts';
import { sleep, until } from '../until.ts';
import type { Wherry } from '../wherry.ts';
import { Chaos } from './chaos.ts';
import { Excuses } from './excuses.ts';
import { visits } from './visits.ts';

export type SoakOptions = {
  readonly wherry: Wherry;
  readonly seed: number;
  /** How long, in milliseconds, everything happens at once. */
  readonly lasts: number;
  readonly visitors?: number;
  readonly note?: (text: string) => void;
};

export type Soaked = {
  /** What broke a promise: nothing, if all is right. */
  readonly wrongs: readonly string[];
  readonly visits: number;
  readonly excused: number;
  /** What was done to apps and platform, by name. */
  readonly deeds: Readonly<Record<string, number>>;
  /** Events that an app was woken. */
  readonly wakes: number;
};

const apps = ['red', 'green', 'blue'];
/** Requests for it wake no app and keep none awake. */
const ignored = '/health';

/** Everything at once, at random, on a Wherry of its own; what was promised to visitors is checked all the while. */
export async function soak(options: SoakOptions): Promise<Soaked> {
  const { wherry, seed, lasts, visitors = 10, note = () => {} } = options;
  const wrongs: string[] = [];
  const begun = performance.now();
  const wrong = (what: string) => {
    wrongs.push(`after ${((performance.now() - begun) / 1000).toFixed(1)} s: ${what}`);
    note(wrongs.at(-1) ?? '');
  };
  const repositories = await deployAll(wherry);
  const excuses = new Excuses();
  const crowd = new Crowd({ wherry, excuses, wrong });
  const chaos = new Chaos({
    wherry,
    apps,
    random: mulberry(seed),
    excuses,
    wrong,
    deploy: app => deployAgain(repositories.get(app)),
  });
  const end = performance.now() + lasts;
  const whileItLasts = async (work: () => Promise<void>) => {
    while (performance.now() < end) await work();
  };
  const random = mulberry(seed + 1);
  await Promise.all([
    whileItLasts(() => chaos.step()),
    whileItLasts(() => crowd.look()),
    ...Array.from({ length: visitors }, () => whileItLasts(() => crowd.visit(random))),
  ]).catch(error => wrong(String(error)));
  const wakes = await checkWakes(wherry, wrong);
  await checkRest(wherry, wrong);
  return {
    wrongs,
    visits: crowd.visits,
    excused: crowd.excused,
    deeds: Object.fromEntries(chaos.done),
    wakes,
  };
}

async function deployAll(wherry: Wherry): Promise<ReadonlyMap<string, Repository>> {
  const made = new Map<string, Repository>();
  for (const app of apps) {
    const repository = await wherry.repository(app, { from: probe });
    const pushed = await repository.push();
    if (pushed.code !== 0) throw new Error(pushed.output);
    await wherry.cli('sleep:set', app, `ignore-paths=${ignored}`);
    made.set(app, repository);
  }
  await wherry.cli('autoscale:set', 'red', 'min=0', 'idle=1s', 'awake=0', 'deep-after=2s');
  return made;
}

async function deployAgain(repository: Repository | undefined): Promise<void> {
  repository?.write({ 'note.txt': String(performance.now()) });
  await repository?.commit('Change');
  const pushed = await repository?.push();
  if (pushed && pushed.code !== 0) throw new Error(pushed.output);
}

/** The visitors. */
class Crowd {
  visits = 0;
  excused = 0;
  readonly #options: { wherry: Wherry; excuses: Excuses; wrong: (what: string) => void };
  /** Something open that the app is at work for, by app. */
  readonly #open = new Map<string, number>();

  constructor(options: { wherry: Wherry; excuses: Excuses; wrong: (what: string) => void }) {
    this.#options = options;
  }

  async visit(random: () => number): Promise<void> {
    const { wherry, excuses, wrong } = this.#options;
    const app = apps[Math.floor(random() * apps.length)] ?? '';
    const kind = weighted(kinds, random);
    const since = performance.now();
    let answering = false;
    try {
      await visits[kind]({ port: wherry.httpPort, host: wherry.hostOf(app), random }, () => {
        answering = true;
        this.#open.set(app, (this.#open.get(app) ?? 0) + 1);
      });
      this.visits += 1;
    } catch (error) {
      if (excuses.covers(app, since)) this.excused += 1;
      else wrong(`${kind} of ${app} after ${Math.round(performance.now() - since)} ms: ${error}`);
    } finally {
      if (answering) this.#open.set(app, (this.#open.get(app) ?? 0) - 1);
    }
    // Apps must get the chance to fall asleep.
    await sleep(random() < 0.3 ? random() * 6000 : random() * 300);
  }

  /** Nobody's instance is frozen: of an app that somebody uses, one at least is not. */
  async look(): Promise<void> {
    const { wherry, wrong } = this.#options;
    for (const app of apps) {
      const before = this.#open.get(app) ?? 0;
      const states = frozen(wherry.data, app);
      if (before > 0 && states.length > 0 && states.every(Boolean))
        wrong(`${app} is frozen under ${before} open`);
    }
    await sleep(25);
  }
}

const kinds = [
  [6, 'plain'],
  [3, 'slow'],
  [2, 'upload'],
  [2, 'stream'],
  [2, 'socket'],
] as const;

/** @returns how often apps were woken */
async function checkWakes(wherry: Wherry, wrong: (what: string) => void): Promise<number> {
  let wakes = 0;
  for (const app of apps) {
    const { stdout } = await wherry.cli('events', app, '--num', '10000');
    for (const line of stdout.split('\n').filter(each => each.includes(' wake: '))) {
      wakes += 1;
      const caused = line.includes(`${wherry.hostOf(app)}/`) && !line.includes(ignored);
      if (!caused) wrong(`a wake without a cause: ${line}`);
    }
  }
  return wakes;
}

/** Left alone, apps that sleep sleep on: through requests that do not count, and deaths of daemon and edge. */
async function checkRest(wherry: Wherry, wrong: (what: string) => void): Promise<void> {
  for (const app of apps) {
    await wherry.cli('autoscale:set', app, 'min=', 'max=', 'target=', 'idle=', 'awake=', 'deep-after=');
    await wherry.get(app).catch(error => wrong(String(error)));
    await until(`${app} to sleep`, () => sleeps(wherry, app), { timeout: 30_000 }).catch(async error => {
      const { stdout } = await wherry.cli('ps:report', app);
      wrong(`${error} ${error.cause}\n${stdout}`);
    });
  }
  await wherry.kill();
  await wherry.start();
  for (const app of apps) {
    const answer = await wherry.get(app, ignored);
    if (answer.status !== 503) wrong(`${app} answers ${ignored} with ${answer.status} in its sleep`);
  }
  await sleep(1500);
  for (const app of apps) {
    const { stdout } = await wherry.cli('sleep:report', app, '--sleep-asleep');
    if (stdout.trim() !== 'deep')
      wrong(`${app} was left alone asleep, and is not any more: ${stdout.trim()}`);
    const answer = await wherry.get(app);
    if (answer.status !== 200) wrong(`${app} does not wake: ${answer.status} ${answer.text.slice(0, 200)}`);
  }
}

async function sleeps(wherry: Wherry, app: string): Promise<boolean> {
  const { code, output } = await wherry.cli('sleep:now', app, '--depth', 'deep');
  if (code !== 0) throw new Error(output);
  return true;
}
