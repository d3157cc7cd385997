import { closeSync } from 'node:fs';
import { WherryError } from '../domain/errors.ts';
import type { Listening } from '../domain/route.ts';
import type { Clock } from '../system/clock.ts';
import { spawn } from '../system/exec.ts';
import type { Log } from '../system/log.ts';
import { openLog, readLogEnd } from './folder.ts';
import type { EdgeLink } from './link.ts';
import { endProcess, findEdge, isAlive, stopEdge, writePid } from './process.ts';

export type StartEdgeOptions = {
  readonly dir: string;
  readonly http: Listening;
  /** Undefined: no HTTPS. */
  readonly https?: Listening | undefined;
  /** Listening already. */
  readonly link: EdgeLink;
  /** What starts an edge, up to and with the word `edge`: `[node, main.js, 'edge']`. */
  readonly argv: readonly string[];
  readonly log: Log;
  readonly clock: Clock;
};

export interface EdgeSupervisor {
  pid(): number | undefined;
  /** Ends the edge: its requests in flight have 30 s. */
  stop(): Promise<void>;
  /** Looks after it no more and lets it serve on. */
  leave(): Promise<void>;
}

const helloTimeout = 15_000;
const drainTimeout = 32_000;
const firstDelay = 100;
const lastDelay = 5000;
/** Milliseconds of life after which the next fall is a first one again. */
const steady = 10_000;
/** A small young generation: what a request leaves dies at once, so more memory buys no speed here. */
export const edgeNodeFlags = ['--max-semi-space-size=2', '--disable-warning=DEP0060'];

/**
 * Adopts the edge of this folder when one runs and listens where it should, else starts one; then starts it again whenever
 * it ends. The edge is a session of its own and outlives control. Resolves when it takes requests.
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
  #pid: number | undefined;
  #watching: Promise<void> = Promise.resolve();

  constructor(options: StartEdgeOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { link, log } = this.#options;
    if (!(await this.#adopt())) {
      this.#pid = await this.#spawn();
      if (!(await this.#greeted(this.#pid))) {
        await stopEdge(this.#options);
        throw new WherryError('unavailable', `The edge could not start. ${await this.#lastWord()}`);
      }
    }
    log.info({ pid: this.#pid, http: link.address(), https: link.secureAddress() }, 'edge runs');
    this.#watching = this.#watch();
  }

  pid(): number | undefined {
    return this.#pid;
  }

  async stop(): Promise<void> {
    await this.leave();
    await stopEdge({ ...this.#options, timeout: drainTimeout });
  }

  async leave(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  /** Takes over an edge that control left behind; ends one that hangs or listens elsewhere. */
  async #adopt(): Promise<boolean> {
    const { dir, http, https, link, log, clock } = this.#options;
    const found = await findEdge(dir);
    if (!found) return false;
    link.expect(found.pid);
    const here = isAt(found.http, http) && (https ? isAt(found.https, https) : found.https === '');
    if (here && (await link.connected(5000, found.pid))) {
      this.#pid = found.pid;
      log.info({ pid: found.pid }, 'adopted the running edge');
      return true;
    }
    log.warn({ pid: found.pid, http: found.http }, 'replacing an edge that hangs or listens elsewhere');
    await endProcess({ pid: found.pid, timeout: 5000, clock });
    link.gone(found.pid);
    return false;
  }

  async #spawn(): Promise<number> {
    const { dir, argv, link, http, https } = this.#options;
    const [node = process.execPath, ...rest] = argv;
    const user = link.user();
    // A port that was chosen by the kernel once is kept: visitors know it.
    const address = http.port === 0 ? (link.address() ?? http) : http;
    const secure = https?.port === 0 ? (link.secureAddress() ?? https) : https;
    const output = openLog(dir);
    try {
      const child = spawn(
        node,
        [
          ...edgeNodeFlags,
          ...rest,
          ...['--http', printed(address), '--dir', dir],
          ...(secure ? ['--https', printed(secure)] : []),
          ...(user ? ['--user', `${user.uid}:${user.gid}`] : []),
        ],
        { cwd: '/', detached: true, stdio: ['ignore', output, output], env: environment() },
      );
      child.on('error', error => this.#options.log.error({ err: error }, 'the edge could not be started'));
      child.unref();
      if (child.pid === undefined)
        throw new WherryError('unavailable', `The edge could not start: no ${node}.`);
      await writePid(dir, child.pid);
      return child.pid;
    } finally {
      closeSync(output);
    }
  }

  /** @returns whether it said hello before it died or its time was over */
  async #greeted(pid: number): Promise<boolean> {
    const { link, dir, clock } = this.#options;
    const deadline = clock.ticks() + helloTimeout;
    while (clock.ticks() < deadline) {
      if (await link.connected(250, pid)) return true;
      if (!(await isAlive(dir, pid))) return false;
    }
    return false;
  }

  async #watch(): Promise<void> {
    const { clock, log, dir, link } = this.#options;
    let delay = firstDelay;
    while (!this.#over.signal.aborted) {
      const since = clock.ticks();
      while (this.#pid !== undefined && (await isAlive(dir, this.#pid)))
        if (!(await this.#pause(250))) return;
      if (this.#pid !== undefined) link.gone(this.#pid);
      if (clock.ticks() - since > steady) delay = firstDelay;
      log.error({ pid: this.#pid, delay, said: await this.#lastWord() }, 'the edge ended; starting it again');
      if (!(await this.#pause(delay))) return;
      delay = Math.min(lastDelay, delay * 2);
      this.#pid = await this.#spawn().catch(error => {
        log.error({ err: error }, 'the edge could not be started');
        return undefined;
      });
    }
  }

  /** @returns false when supervision is over */
  async #pause(milliseconds: number): Promise<boolean> {
    await this.#options.clock.sleep(milliseconds, this.#over.signal).catch(() => {});
    return !this.#over.signal.aborted;
  }

  /** The sentence of the edge's last error. */
  async #lastWord(): Promise<string> {
    const last = (await readLogEnd(this.#options.dir)).trimEnd().split('\n').at(-1) ?? '';
    try {
      return String(JSON.parse(last).msg);
    } catch {
      return last.slice(0, 300);
    }
  }
}

function environment(): Record<string, string> {
  const kept = ['PATH', 'WHERRY_LOG'].map(name => [name, process.env[name]]);
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined));
}

/** Whether what was printed is where it should listen; any port will do for 0. */
function isAt(found: string, wanted: Listening): boolean {
  return wanted.port === 0 ? found.startsWith(`${bracketed(wanted.host)}:`) : found === printed(wanted);
}

function printed(address: { host: string; port: number }): string {
  return `${bracketed(address.host)}:${address.port}`;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
