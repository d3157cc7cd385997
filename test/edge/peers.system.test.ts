// The same bytes to the edge, to nginx and to HAProxy: the table in peers/cases says what each makes of them, and why
// they differ where they do.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demo, startTestEdge } from './harness.ts';
import { attempt, outcome, type Seen } from './peers/attempt.ts';
import { answers } from './peers/cases/answers.ts';
import type { Case } from './peers/cases/case.ts';
import { chunks } from './peers/cases/chunks.ts';
import { framing } from './peers/cases/framing.ts';
import { hops } from './peers/cases/hops.ts';
import { lines } from './peers/cases/lines.ts';
import { targets } from './peers/cases/targets.ts';
import { upgrades } from './peers/cases/upgrades.ts';
import { type RecordingApp, startRecordingApp } from './peers/recording-app.ts';
import { missing, type RunningPeer, startPeer } from './peers/servers.ts';

const cases = [...framing, ...lines, ...chunks, ...targets, ...hops, ...answers, ...upgrades];

let app: RecordingApp;

beforeAll(async () => {
  app = await startRecordingApp();
});

afterAll(() => app.close());

describe('what the edge makes of', () => {
  it.each(cases)('$name', async one => {
    const { port } = await startTestEdge(demo(app.port));
    expect(shown(one, await attempt(port, one, app))).toBe(expected(one, 'edge'));
  });
});

for (const name of ['nginx', 'haproxy'] as const) {
  const reason = await missing(name);
  describe.skipIf(reason !== undefined)(
    `what ${name} makes of${reason ? ` (skipped: ${reason})` : ''}`,
    () => {
      let peer: RunningPeer;

      beforeAll(async () => {
        peer = await startPeer(name, app.port);
      });

      afterAll(() => peer.stop());

      it.each(cases)('$name', async one => {
        expect(shown(one, await attempt(peer.port, one, app))).toBe(expected(one, name));
      });
    },
  );
}

it('tells apart only what differs', () => {
  const differing = cases.flatMap(one => (typeof one.answers === 'string' ? [] : [one.answers]));
  for (const { edge, nginx, haproxy, why } of differing) {
    expect(new Set([edge, nginx, haproxy]).size, why).toBeGreaterThan(1);
    expect(why).not.toBe('');
  }
  expect(new Set(cases.map(one => one.name)).size).toBe(cases.length);
});

function shown(one: Case, seen: Seen): string {
  const more = one.show?.(seen).trim() ?? '';
  return more === '' ? outcome(seen) : `${outcome(seen)} | ${more}`;
}

function expected({ answers: table }: Case, server: 'edge' | 'nginx' | 'haproxy'): string {
  return typeof table === 'string' ? table : table[server];
}
