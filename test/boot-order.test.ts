import { expect, it } from 'vitest';
import { mostWantedFirst } from '../src/boot-order.ts';
import type { App } from '../src/domain/app.ts';

const wanted = (name: string, asleep?: 'light' | 'deep') => ({ app: { name } as App, asleep });

it('brings back who is to run before who sleeps, and who was asked for last first', () => {
  const all = [
    wanted('never'),
    wanted('dozes', 'light'),
    wanted('old'),
    wanted('new'),
    wanted('sleeps', 'deep'),
  ];
  const asked: Readonly<Record<string, number>> = { old: 10, new: 20, sleeps: 30 };
  const order = mostWantedFirst(all, app => asked[app] ?? 0).map(({ app }) => app.name);
  expect(order).toEqual(['new', 'old', 'never', 'sleeps', 'dozes']);
});
