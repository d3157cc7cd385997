// The edge beside other proxies: each pinned to one processor, the load and the app on another, in rounds that alternate. What
// counts is requests by second of the proxy's processor time, so that what else runs here weighs on all alike.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Contender,
  caddy,
  edge,
  front,
  haproxy,
  nginx,
  origin,
  startContender,
  stock,
  stockKeepAlive,
} from './proxies/contenders.ts';
import { memoryOfIdle } from './proxies/idle.ts';
import { cpuSeconds, type Server } from './proxies/server.ts';
import { type Load, load, type Outcome } from './proxies/wrk.ts';
import { mb, median, ms, note, type Row, report, runsAsked } from './report.ts';

const seconds = 3;
const idle = 10_000;
const proxyCore = 0;
const loadCore = 1;
const wanted = [edge, front, stockKeepAlive, stock, nginx, haproxy, caddy];

type Running = { readonly contender: Contender; readonly server: Server };
type Shape = Pick<Load, 'path' | 'connections'>;

const shapes = {
  c32: { path: '/', connections: 32 },
  c512: { path: '/', connections: 512 },
  large: { path: '/large', connections: 8 },
} as const satisfies Record<string, Shape>;

if (cpus().length < 2) throw new Error('Two processors are needed: one for the proxy, one for all else.');
const rounds = runsAsked(5);
const parent = mkdtempSync(join(tmpdir(), 'wherry-bench-edge-'));
const servers: Server[] = [];
try {
  await measure();
} finally {
  await Promise.all(servers.map(server => server.stop()));
  rmSync(parent, { recursive: true, force: true });
}

async function measure(): Promise<void> {
  const app = await start(origin, { app: 0, core: loadCore });
  const running: Running[] = [];
  for (const contender of wanted.filter(({ present }) => present()))
    running.push({ contender, server: await start(contender, { app: app.port, core: proxyCore }) });
  const absent = wanted.filter(({ present }) => !present());
  for (const { server } of running) await ask(server, { ...shapes.c32, seconds: 2 });
  const small = await inRounds(running, 'c32');
  const crowd = await inRounds(running, 'c512');
  const large = await inRounds(running, 'large');
  const added = await addedAtHalfLoad(app, running, rate(small, edge));
  const fresh = await start(edge, { app: app.port, core: proxyCore });
  const held = await memoryOfIdle(fresh, idle, loadCore);

  const over = (figures: Figures, peer: Contender) => rate(figures, edge) / rate(figures, peer);
  const fast = rate(small, front) / rate(small, nginx);
  const metrics = {
    vs_http_proxy_c32: over(small, stockKeepAlive),
    vs_http_proxy_c512: over(crowd, stockKeepAlive),
    vs_http_proxy_as_shipped_c32: over(small, stock),
    vs_nginx_c32: over(small, nginx),
    vs_nginx_bytes: over(large, nginx),
    fast_vs_nginx: fast,
    added_p99_ms: added.ms,
    idle10k_mb: held,
  };
  report(
    'edge',
    [
      ...running.flatMap(({ contender }) => [
        {
          what: `${contender.name}: requests/s per core, 32 connections`,
          value: rate(small, contender).toFixed(0),
        },
        { what: '  512 connections', value: rate(crowd, contender).toFixed(0) },
        { what: '  MB/s per core, bodies of 10 MB', value: (rate(large, contender) / 2 ** 20).toFixed(0) },
      ]),
      ...absent.map(({ name }): Row => ({ what: name, value: 'not here' })),
      {
        what: 'edge / http-proxy with keep-alive, 32 connections',
        value: metrics.vs_http_proxy_c32.toFixed(2),
        aim: '2',
      },
      {
        what: 'edge / http-proxy with keep-alive, 512 connections',
        value: metrics.vs_http_proxy_c512.toFixed(2),
        aim: '2',
      },
      {
        what: 'edge / http-proxy as shipped, 32 connections',
        value: metrics.vs_http_proxy_as_shipped_c32.toFixed(2),
      },
      { what: 'edge / nginx, 32 connections', value: metrics.vs_nginx_c32.toFixed(2), aim: '0.6' },
      { what: "HAProxy as Wherry's front / nginx, 32 connections", value: fast.toFixed(2), aim: '1' },
      { what: 'edge / nginx, large bodies', value: metrics.vs_nginx_bytes.toFixed(2), aim: '0.8' },
      {
        what: `added to the 99th percentile, at ${added.rate.toFixed(0)} requests/s`,
        value: ms(added.ms),
        aim: '1 ms',
      },
      { what: `edge with ${idle} idle connections`, value: mb(held), aim: '150 MB' },
    ],
    metrics,
  );
}

async function start(contender: Contender, { app, core }: { app: number; core: number }): Promise<Server> {
  const server = await startContender(contender, { parent, app, core });
  servers.push(server);
  return server;
}

type Figures = ReadonlyMap<string, readonly number[]>;

/** What each does in a second of its processor's time: requests, or bytes of large bodies. */
async function inRounds(running: readonly Running[], shape: keyof typeof shapes): Promise<Figures> {
  const figures = new Map<string, number[]>(running.map(({ contender }) => [contender.name, []]));
  for (let round = 1; round <= rounds; round += 1) {
    note(`${shape}: round ${round} of ${rounds}`);
    for (const { contender, server } of running) {
      const before = cpuSeconds(server.pid);
      const outcome = await ask(server, { ...shapes[shape], seconds });
      const done = shape === 'large' ? outcome.bytes : outcome.requests;
      figures.get(contender.name)?.push(done / (cpuSeconds(server.pid) - before));
    }
  }
  return figures;
}

function rate(figures: Figures, { name }: Contender): number {
  return figures.has(name) ? median(figures.get(name) ?? []) : Number.NaN;
}

/** What the edge adds to the 99th percentile where it has half of what it can do to do; both asked the same way, in turns. */
async function addedAtHalfLoad(app: Server, running: readonly Running[], full: number) {
  const ours = running.find(({ contender }) => contender === edge);
  if (!ours) throw new Error('The edge does not run.');
  const { connections } = shapes.c32;
  const rest = Math.max(1, Math.round((connections / (full / 2)) * 1000));
  const half = { ...shapes.c32, seconds, rest };
  const differences: number[] = [];
  const rates: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    note(`half load: round ${round} of ${rounds}`);
    const direct = await ask(app, half);
    const through = await ask(ours.server, half);
    differences.push(through.p99 - direct.p99);
    rates.push(through.requests / through.seconds);
  }
  return { ms: median(differences), rate: median(rates) };
}

/** @throws where an answer was missing: a figure of failures is none */
async function ask(server: Server, shape: Shape & Pick<Load, 'seconds' | 'rest'>): Promise<Outcome> {
  const outcome = await load(parent, { ...shape, port: server.port, core: loadCore });
  if (outcome.failed > 0 || outcome.requests === 0)
    throw new Error(`${outcome.failed} of ${outcome.requests} requests failed on port ${server.port}.`);
  return outcome;
}
