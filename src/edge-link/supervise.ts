import { closeSync } from 'node:fs';
import { WherryError } from '../domain/errors.ts';
import type { Listening } from '../domain/route.ts';
import type { Clock } from '../system/clock.ts';
import { spawn } from '../system/exec.ts';
import type { Log } from '../system/log.ts';
import { type EdgePlan, edgeArguments, isCurrent, listensAt } from './command-line.ts';
import { openLog, readLogEnd, removeRemains } from './folder.ts';
import type { EdgeLink } from './link.ts';
import { type EdgeProcess, endProcess, findEdges, isAlive, stopEdge } from './process.ts';

export type StartEdgeOptions = {
  readonly dir: string;
  readonly http: Listening;
  /** Undefined: no HTTPS. */
  readonly https?: Listening | undefined;
  /** Listening already. */
  readonly link: EdgeLink;
  /** What starts an edge, up to and with the word `edge`: `[node, main.js, 'edge']`. */
  readonly argv: readonly string[];
  /** Of what `argv` starts; an edge of another one is replaced by a successor, which gets its sockets. */
  readonly version: string;
  /** How many share the listening sockets; one unless told. */
  readonly workers?: number;
  /** Hears of an edge that ended by itself, with its last words; not again while they fall one after the other. */
  readonly fell?: (said: string) => void;
  readonly log: Log;
  readonly clock: Clock;
};

export interface EdgeSupervisor {
  /** Of the edges that take requests. */
  pids(): readonly number[];
  /** Ends the edges: their requests in flight have 30 s. */
  stop(): Promise<void>;
  /** Looks after them no more and lets them serve on. */
  leave(): Promise<void>;
}

const helloTimeout = 15_000;
const inheritTries = 3;
const drainTimeout = 32_000;
/** More than an edge that another has replaced gives itself. */
const retireTimeout = 330_000;
const firstDelay = 200;
const lastDelay = 5000;
/** Milliseconds without a fall after which the next one is a first one again. */
const steady = 10_000;

/**
 * Adopts the edges of this folder that run and are what they should be; has one of another version start its own successor, so
 * that no connection is refused; else starts one, which starts the others. Then replaces each that ends. Edges are sessions of their own and outlive
 * control. Resolves when requests are taken.
 * @throws unavailable when it cannot start, with its own reason
 */
export async function startEdge(options: StartEdgeOptions): Promise<EdgeSupervisor> {
  const supervisor = new Supervisor(options);
  await supervisor.start();
  return supervisor;
}

class Supervisor implements EdgeSupervisor {
  readonly #options: StartEdgeOptions;
  readonly #over = new AbortController();
  readonly #workers = new Set<number>();
  /** Of another version, until they have been replaced. */
  readonly #stale = new Set<number>();
  /** Finish what they have; with the time, in ticks, at which they are ended. */
  readonly #leaving = new Map<number, number>();
  #watching: Promise<void> = Promise.resolve();

  constructor(options: StartEdgeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { link, log, version } = this.#options;
    await this.#adopt();
    while (this.#missing > 0) this.#workers.add(await this.#add());
    for (const pid of [...this.#stale, ...this.pids().slice(this.#count)]) this.#retire(pid);
    log.info({ pids: this.pids(), version, http: link.address(), https: link.secureAddress() }, 'edge runs');
    this.#watching = this.#watch();
  }

  pids(): readonly number[] {
    return [...this.#workers];
  }

  async stop(): Promise<void> {
    await this.leave();
    await stopEdge({ ...this.#options, timeout: drainTimeout });
  }

  async leave(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  get #count(): number {
    return this.#options.workers ?? 1;
  }

  get #missing(): number {
    return this.#count - this.#workers.size;
  }

  /** Takes over the edges that control left behind; ends those that hang or listen elsewhere. */
  async #adopt(): Promise<void> {
    const { dir, link } = this.#options;
    const found = await findEdges(dir);
    for (const { pid } of found) link.expect(pid);
    await removeRemains(dir);
    await Promise.all(found.map(edge => this.#adoptOne(edge)));
  }

  async #adoptOne(edge: EdgeProcess): Promise<void> {
    const { link, log } = this.#options;
    const { pid, http, https } = edge;
    const isHere = listensAt(edge, { http: this.#options.http, https: this.#options.https });
    if (!isHere || !(await link.connected(5000, pid))) {
      log.warn({ pid, http, https }, 'replacing an edge that hangs or listens elsewhere');
      await this.#end(pid);
    } else if (link.state(pid) === 'retiring') this.#leaving.set(pid, this.#ticksIn(retireTimeout));
    else {
      const current = isCurrent(edge, this.#plan());
      (current ? this.#workers : this.#stale).add(pid);
      log.info({ pid, current }, 'adopted a running edge');
    }
  }

  /** One more worker, on the sockets of those there are. @throws unavailable */
  async #add(): Promise<number> {
    const { dir, link, log } = this.#options;
    for (let tries = 0; tries < inheritTries; tries++) {
      const elder = [...this.#workers, ...this.#stale].find(pid => link.state(pid) === 'serving');
      if (elder === undefined) break;
      const heir = await this.#inherit(elder).catch(error => void log.error({ err: error }, 'no successor'));
      if (heir !== undefined) return heir;
    }
    if (this.#workers.size > 0) throw new WherryError('unavailable', 'No further edge could start.');
    // Their port must be free.
    if (this.#stale.size > 0) log.warn({}, 'connections are refused for a moment: the edge is started anew');
    await Promise.all([...this.#stale].map(pid => this.#end(pid)));
    const pid = this.#spawn();
    if (await this.#greeted(pid)) return pid;
    await this.#end(pid);
    throw new WherryError('unavailable', `The edge could not start. ${await lastWord(dir)}`);
  }

  /** @returns undefined, with a reason in the log, when the new one does not come up */
  async #inherit(elder: number): Promise<number | undefined> {
    const { argv, dir, link, log } = this.#options;
    const [node = process.execPath, ...start] = argv;
    const words = [...edgeArguments(start, this.#plan()), '--inherit'];
    const pid = await link.spawn(elder, [node, ...words]);
    if (await this.#greeted(pid)) return pid;
    log.error({ pid, said: await lastWord(dir) }, 'a new edge did not start: can its user read the program?');
    await this.#end(pid);
    return undefined;
  }

  #spawn(): number {
    const { dir, argv, log } = this.#options;
    const [node = process.execPath, ...start] = argv;
    const output = openLog(dir);
    try {
      const stdio = ['ignore' as const, output, output];
      // No setuid program gives it anything; what it starts is held to that too.
      const words = ['--no-new-privs', '--', node, ...edgeArguments(start, this.#plan())];
      const child = spawn('setpriv', words, { cwd: '/', detached: true, stdio, env: environment() });
      child.on('error', error => log.error({ err: error }, 'the edge could not be started'));
      child.unref();
      if (child.pid === undefined)
        throw new WherryError('unavailable', `The edge could not start: no setpriv. Install util-linux.`);
      return child.pid;
    } finally {
      closeSync(output);
    }
  }

  /** A port that was chosen by the kernel once is kept: visitors know it, and it is what an heir's sockets have. */
  #plan(): EdgePlan {
    const { dir, http, https, link, version } = this.#options;
    return {
      dir,
      http: http.port === 0 ? (link.address() ?? http) : http,
      https: https?.port === 0 ? (link.secureAddress() ?? https) : https,
      user: link.user(),
      version,
    };
  }

  /** @returns whether it took requests before it died or its time was over */
  async #greeted(pid: number): Promise<boolean> {
    const { link, dir, clock } = this.#options;
    const deadline = clock.ticks() + helloTimeout;
    while (clock.ticks() < deadline) {
      if (await link.serving(100, pid)) return true;
      if (!(await isAlive(dir, pid))) return false;
    }
    return false;
  }

  #retire(pid: number): void {
    this.#workers.delete(pid);
    this.#stale.delete(pid);
    this.#leaving.set(pid, this.#ticksIn(retireTimeout));
    this.#options.link.retire(pid);
  }

  async #end(pid: number): Promise<void> {
    const { dir, clock } = this.#options;
    if (await isAlive(dir, pid)) await endProcess({ pid, timeout: 5000, clock });
    this.#forget(pid);
  }

  #forget(pid: number): void {
    this.#workers.delete(pid);
    this.#stale.delete(pid);
    this.#leaving.delete(pid);
    this.#options.link.gone(pid);
  }

  async #watch(): Promise<void> {
    const { clock, log, dir, link } = this.#options;
    let delay = 0;
    let fallen = clock.ticks();
    while (!this.#over.signal.aborted) {
      await this.#bury();
      if (this.#missing <= 0) {
        await link.parted(250);
        continue;
      }
      if (clock.ticks() - fallen > steady) delay = 0;
      fallen = clock.ticks();
      const said = await lastWord(dir);
      log.error({ delay, said }, 'an edge ended; starting another');
      if (delay === 0) this.#options.fell?.(said);
      if (!(await this.#pause(delay))) return;
      delay = Math.min(lastDelay, Math.max(firstDelay, delay * 2));
      await this.#add().then(
        pid => this.#workers.add(pid),
        error => log.error({ err: error }, 'the edge could not be started'),
      );
    }
  }

  /** Takes note of edges that have ended, and ends those that should have. */
  async #bury(): Promise<void> {
    const { dir, clock } = this.#options;
    for (const pid of [...this.#workers, ...this.#leaving.keys()]) {
      if (!(await isAlive(dir, pid))) {
        this.#forget(pid);
        await removeRemains(dir);
      } else if (clock.ticks() > (this.#leaving.get(pid) ?? Number.POSITIVE_INFINITY)) await this.#end(pid);
    }
  }

  #ticksIn(milliseconds: number): number {
    return this.#options.clock.ticks() + milliseconds;
  }

  /** @returns false when supervision is over */
  async #pause(milliseconds: number): Promise<boolean> {
    await this.#options.clock.sleep(milliseconds, this.#over.signal).catch(() => {});
    return !this.#over.signal.aborted;
  }
}

/** The sentence of the edge's last error. */
async function lastWord(dir: string): Promise<string> {
  const last = (await readLogEnd(dir)).trimEnd().split('\n').at(-1) ?? '';
  try {
    return String(JSON.parse(last).msg);
  } catch {
    return last.slice(0, 300);
  }
}

function environment(): Record<string, string> {
  const kept = ['PATH', 'WHERRY_LOG'].map(name => [name, process.env[name]]);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}
