import { edgePids } from '../edge-process.ts';
import { ask } from '../http.ts';
import { weighted } from '../random.ts';
import { sleep, until } from '../until.ts';
import type { Wherry } from '../wherry.ts';
import type { Excuses } from './excuses.ts';

export type ChaosOptions = {
  readonly wherry: Wherry;
  readonly apps: readonly string[];
  readonly random: () => number;
  readonly excuses: Excuses;
  /** Deploys a changed commit. */
  readonly deploy: (app: string) => Promise<void>;
  /** A command, or a return to life, that went wrong. */
  readonly wrong: (what: string) => void;
};

/** Exit codes of commands that find the app in use, or something else being done to it. */
const busy = [22];

/** Does one thing after the other to a Wherry and its apps that visitors must not notice, or only as far as it is excused. */
export class Chaos {
  readonly #options: ChaosOptions;
  readonly done = new Map<string, number>();

  constructor(options: ChaosOptions) {
    this.#options = options;
  }

  async step(): Promise<void> {
    const { random, apps } = this.#options;
    const app = apps[Math.floor(random() * apps.length)] ?? '';
    const name = weighted(weights, random);
    this.done.set(name, (this.done.get(name) ?? 0) + 1);
    await this.#do(name, app);
    await sleep(random() * 400);
  }

  async #do(name: Deed, app: string): Promise<void> {
    const { random, deploy } = this.#options;
    switch (name) {
      case 'freeze':
        return await this.#command('sleep:now', app, '--depth', 'light');
      case 'stop':
        return await this.#command('sleep:now', app, '--depth', 'deep');
      case 'scale':
        return await this.#command('ps:scale', app, `web=${1 + Math.floor(random() * 2)}`);
      case 'autoscale':
        return await this.#command('autoscale:set', app, ...this.#rules());
      case 'config':
        return await this.#command('config:set', app, `ROUND=${Math.floor(random() * 1e6)}`);
      case 'deploy':
        return await deploy(app);
      case 'crash':
        return await this.#crash(app);
      case 'kill-daemon':
        return await this.#killDaemon();
      case 'kill-edge':
        return await this.#killEdge();
    }
  }

  /** Times that a person would not set: everything happens all the time. */
  #rules(): string[] {
    const { random } = this.#options;
    const rules = [
      'min=0',
      `max=${1 + Math.floor(random() * 3)}`,
      'target=1',
      `idle=${1 + Math.floor(random() * 2)}s`,
    ];
    return random() < 0.2
      ? ['min=', 'max=', 'target=', 'idle=']
      : [...rules, 'awake=0', `deep-after=${Math.floor(random() * 3)}s`];
  }

  async #command(...words: string[]): Promise<void> {
    const { wherry, wrong } = this.#options;
    const ran = await wherry.cli(...words);
    if (ran.code !== 0 && !busy.includes(ran.code)) wrong(`${words.join(' ')}: ${ran.code} ${ran.output}`);
  }

  async #crash(app: string): Promise<void> {
    const { wherry, excuses } = this.#options;
    const over = excuses.begin(app);
    await wherry.get(app, '/exit?code=3').catch(() => {});
    await sleep(200);
    await this.#answers(app);
    over();
  }

  async #killDaemon(): Promise<void> {
    const { wherry, random } = this.#options;
    await wherry.kill();
    await sleep(random() * 500);
    await wherry.start();
  }

  async #killEdge(): Promise<void> {
    const { wherry, apps, excuses } = this.#options;
    const [pid] = edgePids(wherry.data);
    if (pid === undefined) return;
    const over = excuses.begin();
    process.kill(pid, 'SIGKILL');
    for (const app of apps.slice(0, 1)) await this.#answers(app);
    over();
  }

  /** Waits until the app serves again. */
  async #answers(app: string): Promise<void> {
    const { wherry, wrong } = this.#options;
    const target = { port: wherry.httpPort, host: wherry.hostOf(app), path: '/whoami' };
    await until(`${app} to be back`, async () => (await ask(target)).status === 200, {
      timeout: 60_000,
    }).catch(error => wrong(String(error)));
  }
}

type Deed = (typeof weights)[number][1];

const weights = [
  [6, 'freeze'],
  [6, 'stop'],
  [2, 'scale'],
  [3, 'autoscale'],
  [1, 'config'],
  [1, 'deploy'],
  [1, 'crash'],
  [2, 'kill-daemon'],
  [1, 'kill-edge'],
] as const;
