import type { App } from '../../../src/domain/app.ts';
import { type ProcessType, parseAppName } from '../../../src/domain/names.ts';
import { defaultLimits } from '../../../src/domain/quota.ts';
import type { SleepDepth } from '../../../src/domain/scaling.ts';
import { createRuntime } from '../../../src/runtime/create.ts';
import type { Desired, Runtime } from '../../../src/runtime/runtime.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { silentLog as log } from '../../../src/system/log.ts';
import { weighted } from '../../support/random.ts';
import { sleep, until } from '../../support/until.ts';
import { mortal } from './mortal.ts';
import { ShakyEdge } from './shaky-edge.ts';
import { ShakyEngine } from './shaky-engine.ts';

const web = 'web' as ProcessType;
const worker = 'worker' as ProcessType;
const progress = { header() {}, step() {}, detail() {}, warn() {}, raw() {} };
/** More than one of the model's requests takes. */
const drainTimeout = 2000;
/** As long as the test is patient with what takes milliseconds. */
const readyTimeout = 5000;

/** Calm: nothing of the app itself ever fails, so no request may. */
export type Weather = 'calm' | 'stormy';

/** One app on a control that may be killed at any point, an edge likewise, and visitors; no process, no socket but the app's. */
export class World {
  readonly wrongs: string[] = [];
  readonly #random: () => number;
  readonly #weather: Weather;
  readonly #engine: ShakyEngine;
  readonly #edge: ShakyEdge;
  readonly #dir: string;
  #runtime: Runtime;
  #complete: () => Promise<void>;
  /** What a database holds. */
  #version = 1;
  #count = 1;
  #asleep: SleepDepth | undefined;
  #stopped = false;
  #broken = false;
  #lives = 0;
  /** Who does something to the app, as the app's lock. */
  #holder: Promise<void> | undefined;
  #steps = 0;

  constructor(options: { random: () => number; weather: Weather; dir: string; number: number }) {
    this.#random = options.random;
    this.#weather = options.weather;
    this.#dir = options.dir;
    this.#engine = new ShakyEngine({
      random: options.random,
      number: options.number,
      behave: ({ labels }) => {
        if (labels['type'] === 'worker') return {};
        return this.#broken ? { exit: { code: 7 } } : { listen: {} };
      },
      harmed: (id, how) => {
        if (this.#edge.uses(id)) this.#wrong(`${id} was ${how} under a request`);
      },
    });
    this.#edge = new ShakyEdge({
      random: options.random,
      usable: id => this.#engine.usable(id),
      wake: () => {
        if (this.#runtime.asleep(this.#app)) void this.#runtime.wake(this.#app).catch(() => {});
      },
      failed: why => {
        if (this.#weather === 'calm') this.#wrong(`a request was ${why}`);
      },
    });
    ({ runtime: this.#runtime, complete: this.#complete } = this.#live());
  }

  get answered(): number {
    return this.#edge.answered;
  }

  async run(steps: number): Promise<void> {
    await this.#complete();
    await this.#runtime.deploy(this.#desired(), { progress });
    for (this.#steps = 1; this.#steps <= steps; this.#steps += 1) {
      this.#step();
      await sleep(Math.floor(this.#random() * 4));
    }
    await this.#settle();
  }

  async close(): Promise<void> {
    this.#lives += 1;
    await this.#engine.purge();
  }

  get #app(): App {
    return {
      id: 1,
      name: parseAppName('blog'),
      createdAt: new Date(0),
      deployBranch: 'main',
      stopped: this.#stopped,
    };
  }

  #desired(version = this.#version, count = this.#count): Desired {
    return {
      app: this.#app,
      version,
      image: {
        id: 'sha256:1',
        layers: [],
        env: {},
        workingDir: '/',
        user: { uid: 1000, gid: 1000 },
        entrypoint: [],
        processes: [web, worker].map(type => ({ type, command: [type], workingDir: '/' })),
        labels: {},
      },
      config: {},
      counts: new Map([
        [web, count],
        [worker, 1],
      ]),
      limits: () => defaultLimits,
      quota: { memory: null, pids: null },
      ...(this.#asleep && { asleep: this.#asleep }),
    };
  }

  /** A control that begins. */
  #live() {
    this.#lives += 1;
    const life = this.#lives;
    const alive = () => this.#lives === life;
    // Waits are cut short where nothing is measured by them.
    const clock = {
      ...systemClock,
      sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(Math.min(ms, 20), signal),
    };
    const book = mortal(this.#edge.book(), { alive });
    const runtime = createRuntime({
      engine: mortal(this.#engine, { alive, pause: () => sleep(Math.floor(this.#random() * 4)) }),
      sink: book,
      clock: mortal(clock, { alive }),
      log,
      admit: async () => () => {},
      networks: () => ({ early: [], all: [] }),
      mounts: async () => [],
      logsDir: this.#dir,
      noteSleep: (_, depth) => {
        if (alive()) this.#asleep = depth;
      },
      event: () => {},
      random: this.#random,
      readyTimeout,
      drainTimeout,
      stopTimeout: 1000,
    });
    return { runtime, complete: () => book.complete() };
  }

  #step(): void {
    const storms: readonly (readonly [number, () => void])[] = [
      [2, () => void this.#crash()],
      [1, () => this.#breakOrMend()],
      [1, () => this.#alone(() => this.#stopAndStart())],
    ];
    const actions: readonly (readonly [number, () => void])[] = [
      [30, () => void this.#edge.ask(Math.floor(this.#random() * 20))],
      [20, () => {}],
      [8, () => this.#alone(() => this.#sleep('light'))],
      [8, () => this.#alone(() => this.#sleep('deep'))],
      [4, () => this.#alone(() => this.#deploy())],
      [4, () => this.#alone(() => this.#scale())],
      [2, () => void this.#edge.kill()],
      [2, () => void this.#killControl()],
      ...(this.#weather === 'stormy' ? storms : []),
    ];
    weighted(actions, this.#random)();
  }

  /** Whoever finds the app busy goes away. */
  #alone(work: () => Promise<unknown>): void {
    if (this.#holder) return;
    const life = this.#lives;
    const held = work()
      .catch(error => {
        if (this.#weather === 'calm') this.#wrong(`a command failed: ${error}`);
      })
      .then(() => {
        if (this.#holder === held) this.#holder = undefined;
      });
    if (this.#lives === life) this.#holder = held;
  }

  /** Starts fail from now on, or no longer. */
  #breakOrMend(): void {
    this.#broken = !this.#broken;
  }

  async #sleep(depth: SleepDepth): Promise<void> {
    await this.#runtime.sleep(this.#app, { depth, also: this.#random() < 0.5 ? [worker] : [] });
  }

  async #deploy(): Promise<void> {
    const version = this.#version + 1;
    const life = this.#lives;
    const commit = () => {
      if (this.#lives !== life) return;
      this.#version = version;
      this.#stopped = false;
    };
    const desired = this.#desired(version);
    await this.#runtime.deploy({ ...desired, app: { ...desired.app, stopped: false } }, { progress, commit });
  }

  async #scale(): Promise<void> {
    const count = 1 + Math.floor(this.#random() * 3);
    const life = this.#lives;
    await this.#runtime.scale(this.#desired(this.#version, count), { progress });
    if (this.#lives === life) this.#count = count;
  }

  async #stopAndStart(): Promise<void> {
    this.#stopped = true;
    await this.#runtime.stop(this.#app);
    await this.#deploy();
  }

  async #crash(): Promise<void> {
    const [id] = this.#edge.targets;
    if (id) await this.#engine.crash(id);
  }

  async #killControl(): Promise<void> {
    this.#holder = undefined;
    ({ runtime: this.#runtime, complete: this.#complete } = this.#live());
    const recovering = this.#runtime.recover([this.#desired()]).then(() => this.#complete());
    this.#holder = recovering.then(() => {
      this.#holder = undefined;
    });
    await recovering;
  }

  /** At rest all is as it should be, and whatever ends is started again. */
  async #settle(): Promise<void> {
    this.#broken = false;
    await until('whoever does something', () => !this.#holder);
    if (this.#stopped) await this.#stopAndStart();
    await until('the requests', () => this.#edge.busy === 0, { every: 5 });
    const healthy = async () => {
      if (this.#edge.state.kind === 'asleep') await this.#edge.ask(0);
      return await this.#asDesired();
    };
    try {
      await until('what is desired', healthy, { timeout: 6000, every: 5 });
      for (const id of this.#edge.targets) {
        await this.#engine.crash(id);
        await until('what crashed', healthy, { timeout: 6000, every: 5 });
      }
    } catch (error) {
      this.#wrong(`${error} There is ${JSON.stringify(await this.#whatIs())}`);
    }
  }

  async #asDesired(): Promise<boolean> {
    const { running, targets } = await this.#whatIs();
    const wanted = Array.from({ length: this.#count }, (_, at) => `web.${at + 1}.v${this.#version}`);
    const all = [...wanted, `worker.1.v${this.#version}`];
    return String(running) === String(all) && String(targets) === String(wanted);
  }

  async #whatIs() {
    const place = (id: string) => /((web|worker)\.\d+\.v\d+)/.exec(id)?.[1] ?? id;
    const all = await this.#engine.list();
    return {
      state: this.#edge.state,
      all: all.map(({ id, status }) => `${place(id)} ${status.kind}`),
      running: all.flatMap(({ id, status }) => (status.kind === 'running' ? [place(id)] : [])).sort(),
      targets: this.#edge.targets.map(place).sort(),
      wanted: `${this.#count} of v${this.#version}`,
      runtime: this.#runtime.instances(this.#app).map(({ id, status }) => `${place(id)} ${status}`),
    };
  }

  #wrong(what: string): void {
    this.wrongs.push(`step ${this.#steps}: ${what}`);
  }
}
