import { WherryError } from '../domain/errors.ts';
import type { Target } from './target.ts';

/** What the Wherry that apps move to has of them already, so that a second import does nothing twice. */
export type Here = {
  has(app: string): boolean;
  /** `source:target` of each storage that the app sees. */
  mounts(app: string): Promise<readonly string[]>;
  networks(): Promise<readonly string[]>;
};

/** Looks at the target. Where that is `optional`, as for a look at what would be done, one that is away has nothing. */
export async function lookHere(target: Target, { optional }: { optional: boolean }): Promise<Here> {
  const ask = (...words: readonly string[]) =>
    list(target, [...words, '--format', 'json']).catch(error => {
      if (optional && error instanceof WherryError && error.code === 'unavailable') return [];
      throw error;
    });
  const apps = new Set(await ask('apps:list'));
  return {
    has: app => apps.has(app),
    async mounts(app) {
      if (!apps.has(app)) return [];
      const found = await ask('storage:list', app);
      return found.map(each => {
        const { host_path, container_path } = each as Record<string, unknown>;
        return `${host_path}:${container_path}`;
      });
    },
    networks: async () =>
      (await ask('network:list')).map(each => String((each as Record<string, unknown>)['Name'])),
  };
}

async function list(target: Target, words: readonly string[]): Promise<readonly unknown[]> {
  const { code, stdout, stderr } = await target({ words });
  if (code !== 0)
    throw new WherryError(
      'failed',
      `Wherry did not answer ${words[0]}: ${stderr.trim().replace(/^!\s+/, '')}`,
    );
  return JSON.parse(stdout) as unknown[];
}
