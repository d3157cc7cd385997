import { callApi } from './call-api.ts';
import { weighted } from './random.ts';

type Value = string | undefined;

/**
 * What a daemon acknowledged, against what it has: changes of one writer, cut off by kills of the daemon at any time. A change that
 * was answered must be there ever after; of one that was cut off, either the old or the new may be, and from the next look on that one.
 */
export class Ledger {
  readonly #data: string;
  readonly #app: string;
  readonly #random: () => number;
  readonly #known = new Map<string, Value>();
  readonly #open = new Map<string, Value>();
  #changes = 0;

  /** `app` exists, and nobody else writes to it, or to apps whose names begin with its. */
  constructor(options: { data: string; app: string; random: () => number }) {
    this.#data = options.data;
    this.#app = options.app;
    this.#random = options.random;
  }

  /** Changes that were acknowledged. */
  get acknowledged(): number {
    return this.#changes;
  }

  /** One change. @returns whether it was answered. @throws when it was refused */
  async write(): Promise<boolean> {
    const kind = weighted(
      [
        [6, this.#config],
        [6, this.#domain],
        [6, this.#spare],
        [1, this.#release],
      ],
      this.#random,
    );
    const slot = Math.floor(this.#random() * 4);
    return await kind.call(this, slot);
  }

  /** Looks at everything; what was acknowledged and is not there, in words. */
  async check(): Promise<readonly string[]> {
    const there = await this.#read();
    const names = [...new Set([...this.#known.keys(), ...this.#open.keys()])];
    const lost = names.filter(name => {
      const value = there.get(name);
      return value !== this.#known.get(name) && !(this.#open.has(name) && value === this.#open.get(name));
    });
    const told = lost.map(
      name => `${this.#app}: ${name} is ${there.get(name)} and was acknowledged as ${this.#known.get(name)}`,
    );
    for (const name of names) this.#known.set(name, there.get(name));
    this.#open.clear();
    return told;
  }

  async #config(slot: number): Promise<boolean> {
    const name = `config KEY_${slot}`;
    const value = String(Math.floor(this.#random() * 1e9));
    return await this.#change(name, value, 'config/set', {
      app: this.#app,
      pairs: { [`KEY_${slot}`]: value },
      noRestart: true,
    });
  }

  async #domain(slot: number): Promise<boolean> {
    const host = `d${slot}.${this.#app}.example.org`;
    const name = `domain ${host}`;
    const add = this.#known.get(name) === undefined;
    const command = add ? 'domains/add' : 'domains/remove';
    return await this.#change(name, add ? 'yes' : undefined, command, { app: this.#app, domains: [host] });
  }

  async #spare(slot: number): Promise<boolean> {
    const app = `${this.#app}-spare-${slot}`;
    const name = `app ${app}`;
    const add = this.#known.get(name) === undefined;
    return await this.#change(name, add ? 'yes' : undefined, add ? 'apps/create' : 'apps/destroy', {
      app,
      ...(add ? {} : { force: true }),
    });
  }

  /** With a release of its own, which the app is restarted with. */
  async #release(slot: number): Promise<boolean> {
    const key = `RELEASED_${slot}`;
    const value = String(Math.floor(this.#random() * 1e9));
    return await this.#change(`config ${key}`, value, 'config/set', {
      app: this.#app,
      pairs: { [key]: value },
    });
  }

  async #change(name: string, value: Value, command: string, args: object): Promise<boolean> {
    this.#open.set(name, value);
    const called = await callApi(this.#data, command, args).catch(() => undefined);
    if (called === undefined) return false;
    this.#open.delete(name);
    if (called.status !== 200)
      throw new Error(`${command} ${JSON.stringify(args)} was refused: ${JSON.stringify(called.body)}`);
    this.#known.set(name, value);
    this.#changes += 1;
    return true;
  }

  async #read(): Promise<ReadonlyMap<string, string>> {
    const app = this.#app;
    const ask = async (command: string, args: object) => {
      const { status, body } = await callApi(this.#data, command, args);
      if (status !== 200) throw new Error(`${command} was refused: ${JSON.stringify(body)}`);
      return body;
    };
    const config = (await ask('config/export', { app })) as Record<string, string>;
    const domains = (await ask('domains/report', { app })) as Record<string, string>;
    const apps = (await ask('apps/list', {})) as string[];
    return new Map([
      ...Object.entries(config).map(([key, value]) => [`config ${key}`, value] as const),
      ...(domains['app-vhosts'] ?? '').split(' ').map(host => [`domain ${host}`, 'yes'] as const),
      ...apps.map(each => [`app ${each}`, 'yes'] as const),
    ]);
  }
}
