// The edge and what people would use in its place, each as its own manual advises for speed, on one processor, with one worker.
// nginx and the edge write an access log, both in batches; the others write none.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { edgeNodeFlags } from '../../../src/edge-link/index.ts';
import { haproxyConfig, haproxyFiles } from '../../../src/fast-path/haproxy-config.ts';
import { command, isThere } from '../../../src/fast-path/haproxy-socket.ts';
import { Seats } from '../../../src/fast-path/seats.ts';
import { hasProgram } from '../../../src/system/exec.ts';
import { freePorts } from '../../support/ports.ts';
import { until } from '../../support/until.ts';
import { type Server, startServer } from './server.ts';

export type Place = {
  /** An empty folder. */
  readonly dir: string;
  readonly port: number;
  /** Where the app listens. */
  readonly app: number;
};

export type Contender = {
  readonly name: string;
  /** Whether it can run here. */
  readonly present: () => boolean;
  /** Writes its files. @returns what starts it */
  readonly prepare: (place: Place) => { argv: readonly string[]; env?: Readonly<Record<string, string>> };
  /** What is told to it once it listens. */
  readonly tell?: (place: Place) => Promise<void>;
};

export const host = 'demo.test';

const root = new URL('../../../', import.meta.url).pathname;
const always = () => true;

export const edge: Contender = {
  name: 'wherry edge',
  present: always,
  prepare({ dir, port, app }) {
    const target = { id: 'demo-1', host: '127.0.0.1', port: app };
    const routes = [{ app: 'demo', domains: [host], state: 'serving', targets: [target] }];
    writeFileSync(join(dir, 'snapshot.json'), JSON.stringify({ generation: 1, routes }));
    const main = join(root, 'dist/src/main.js');
    const listen = ['--http', `127.0.0.1:${port}`, '--dir', dir];
    return { argv: [process.execPath, ...edgeNodeFlags, main, 'edge', ...listen] };
  },
};

const httpProxy = (name: string, agent: 'keep-alive' | 'none'): Contender => ({
  name,
  present: always,
  prepare({ port, app }) {
    const script = new URL('stock-http-proxy.ts', import.meta.url).pathname;
    return { argv: [process.execPath, ...process.execArgv, script, String(port), String(app), agent] };
  },
});

export const stockKeepAlive = httpProxy('http-proxy, keep-alive agent', 'keep-alive');
export const stock = httpProxy('http-proxy, as shipped', 'none');

export const nginx: Contender = {
  name: 'nginx',
  present: () => hasProgram('nginx'),
  prepare(place) {
    return nginxWith(
      place.dir,
      `access_log ${place.dir}/access.log combined buffer=64k flush=1s;
  upstream app { server 127.0.0.1:${place.app}; keepalive 64; }
  server {
    listen 127.0.0.1:${place.port} backlog=4096;
    server_name ${host};
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_max_temp_file_size 0;
    }
  }`,
    );
  },
};

export const haproxy: Contender = {
  name: 'haproxy',
  present: () => hasProgram('haproxy'),
  prepare({ dir, port, app }) {
    const config = join(dir, 'haproxy.cfg');
    writeFileSync(
      config,
      `global
  nbthread 1
  maxconn 4000
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
frontend visitors
  bind 127.0.0.1:${port} backlog 4096
  http-request deny deny_status 404 unless { req.hdr(host),host_only -i ${host} }
  default_backend app
backend app
  server app 127.0.0.1:${app}
`,
    );
    return { argv: ['haproxy', '-q', '-db', '-f', config] };
  },
};

/** Wherry's own configuration of HAProxy; the edge behind it is never asked. */
export const front: Contender = {
  name: "haproxy as Wherry's front",
  present: haproxy.present,
  prepare({ dir, port }) {
    const { config, map } = haproxyFiles(dir);
    const edge = { host: '127.0.0.1', port: 1 };
    writeFileSync(map, '');
    writeFileSync(config, haproxyConfig({ dir, listen: { host: '127.0.0.1', port }, edge, user: undefined }));
    return { argv: ['haproxy', '-q', '-db', '-f', config] };
  },
  async tell({ dir, app }) {
    const { socket, map } = haproxyFiles(dir);
    const targets = [{ id: 'demo-1', host: '127.0.0.1', port: app }];
    const seats = new Seats({ lanes: 1, slots: 1, map });
    // Its port is open a moment before its socket.
    await until('HAProxy takes commands', () => isThere(socket));
    await command(socket, seats.seat(new Map([['demo', { hosts: [host], targets }]]), 0));
  },
};

export const caddy: Contender = {
  name: 'caddy',
  present: () => hasProgram('caddy'),
  prepare({ dir, port, app }) {
    const config = join(dir, 'Caddyfile');
    writeFileSync(
      config,
      `{
  admin off
  auto_https off
}
http://${host}:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${app}
}
`,
    );
    return {
      argv: ['caddy', 'run', '--adapter', 'caddyfile', '--config', config],
      env: { HOME: dir, GOMAXPROCS: '1' },
    };
  },
};

/** What all of them stand before: nginx, which answers far faster than any of them asks. */
export const origin: Contender = {
  name: 'the app itself',
  present: nginx.present,
  prepare({ dir, port }) {
    mkdirSync(join(dir, 'files'));
    writeFileSync(join(dir, 'files/large'), Buffer.alloc(largeBytes, 'x'));
    return nginxWith(
      dir,
      `access_log off;
  keepalive_requests 1000000000;
  sendfile on;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location = / { default_type text/plain; return 200 "hello, world"; }
    location / { root ${dir}/files; }
  }`,
    );
  },
};

const largeBytes = 10 * 2 ** 20;

function nginxWith(dir: string, http: string): { argv: readonly string[] } {
  const config = join(dir, 'nginx.conf');
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  writeFileSync(
    config,
    `daemon off;
master_process off;
pid ${dir}/pid;
events { worker_connections 4096; }
http {
  ${folders.map(name => `${name}_temp_path ${dir}/${name};`).join(' ')}
  keepalive_requests 1000000000;
  ${http}
}
`.replace(http.includes('keepalive_requests') ? '  keepalive_requests 1000000000;\n' : '', ''),
  );
  return { argv: ['nginx', '-c', config, '-e', 'stderr'] };
}

/** Runs one on a port of its own, with a folder of its own in `parent`. */
export async function startContender(
  contender: Contender,
  { parent, app, core }: { parent: string; app: number; core: number },
): Promise<Server> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await startOnce(contender, { parent, app, core });
    } catch (error) {
      // Under load somebody's connection may take the port before it does.
      if (tries === 3) throw error;
    }
  }
}

async function startOnce(
  contender: Contender,
  { parent, app, core }: { parent: string; app: number; core: number },
): Promise<Server> {
  const [port = 0] = await freePorts(1);
  const dir = join(parent, `${contender.name.replace(/\W+/g, '-')}-${port}`);
  mkdirSync(dir);
  const place = { dir, port, app };
  const server = await startServer({ ...contender.prepare(place), core, port });
  await contender.tell?.(place).catch(async error => {
    await server.stop();
    throw error;
  });
  return server;
}
