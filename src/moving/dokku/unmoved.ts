import { quoteForPeople } from '../../domain/names.ts';
import type { DokkuHost } from './host.ts';

type Unmoved = {
  readonly report: string;
  readonly key: string;
  /** Values that nobody set, or that hold here too. */
  readonly usual: readonly string[];
  say(value: string, app: string): string;
};

/** Settings that are there and cannot come: each is told with what to do. */
const unmoved: readonly Unmoved[] = [
  {
    ...{ report: 'scheduler', key: 'computed-selected', usual: ['', 'docker-local'] },
    say: value => `Scheduler ${value} is not here: all its processes run on this host.`,
  },
  {
    ...{ report: 'proxy', key: 'enabled', usual: ['', 'true'] },
    say: (_value, app) => `Its proxy is off there. If nobody is to reach it here: domains:disable ${app}`,
  },
  {
    ...{ report: 'buildpacks', key: 'stack', usual: [''] },
    say: (value, app) => `It is built on stack ${value}. Choose one of stacks:list: stacks:use ${app} STACK`,
  },
  {
    ...{ report: 'registry', key: 'image-repo', usual: [''] },
    say: value => `Its images are pushed to ${value} there. Nothing is pushed here.`,
  },
  {
    ...{ report: 'registry', key: 'server', usual: [''] },
    say: (value, app) =>
      `Its login for the registry ${value} cannot be read. Give it again: registry:login ${app}`,
  },
  {
    ...{ report: 'logs', key: 'vector-sink', usual: [''] },
    say: () => 'Its logs go to another service there. Here they stay on this host: logs APP',
  },
  {
    ...{ report: 'network', key: 'static-web-listener', usual: [''] },
    say: value => `Its requests go to ${value} there, which is no process of it. Here they go to its own.`,
  },
];

export async function tellUnmoved(host: DokkuHost, app: string): Promise<void> {
  for (const { report, key, usual, say } of unmoved) {
    const value = (await host.report(report, app))?.get(key);
    if (value !== undefined && !usual.includes(value)) host.left.push(say(quoteForPeople(value), app));
  }
}
