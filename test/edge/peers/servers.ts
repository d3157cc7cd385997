// The edge, and the two proxies that people would use in its place, each set up the way their own manuals advise and in
// front of an app of its own.
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '../../../src/system/exec.ts';
import { freePorts } from '../../support/ports.ts';
import { run } from '../../support/run.ts';

export type PeerName = 'nginx' | 'haproxy';

type Peer = {
  /** Prints the version. */
  readonly version: readonly [string, ...string[]];
  /** The releases that the table of cases was made with; others may answer otherwise. */
  readonly known: RegExp;
  readonly config: (ports: { listen: number; app: number }, dir: string) => string;
  readonly start: (config: string) => readonly [string, ...string[]];
};

const peers: Readonly<Record<PeerName, Peer>> = {
  nginx: {
    version: ['nginx', '-v'],
    known: /nginx\/1\.22\./,
    start: config => ['nginx', '-c', config, '-e', 'stderr'],
    config: ({ listen, app }, dir) => `
daemon off;
master_process off;
pid ${dir}/pid;
events { worker_connections 256; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${dir}/${name};`).join(' ')}
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  server { listen 127.0.0.1:${listen} default_server; return 404; }
  server {
    listen 127.0.0.1:${listen};
    server_name demo.test;
    location / {
      proxy_pass http://127.0.0.1:${app};
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`,
  },
  haproxy: {
    version: ['haproxy', '-v'],
    known: /version 2\.6\./,
    start: config => ['haproxy', '-q', '-db', '-f', config],
    config: ({ listen, app }) => `
global
  maxconn 256
defaults
  mode http
  timeout connect 2s
  timeout client 60s
  timeout server 60s
  timeout http-request 10s
  option forwardfor
frontend visitors
  bind 127.0.0.1:${listen}
  http-request deny deny_status 404 unless { req.hdr(host),host_only,rtrim(.) -i demo.test }
  default_backend app
backend app
  server app 127.0.0.1:${app}
`,
  },
};

/** Why a peer cannot be compared with here; undefined when it can. */
export async function missing(name: PeerName): Promise<string | undefined> {
  const { version, known } = peers[name];
  const [file, ...args] = version;
  const text = await run(file, args).then(
    ({ output }) => output,
    () => '',
  );
  if (text === '') return `${name} is not installed`;
  return known.test(text) ? undefined : `the table does not know ${text.split('\n')[0]}`;
}

export type RunningPeer = { readonly port: number; stop(): Promise<void> };

/** Starts a peer as a child on a loopback port. */
export async function startPeer(name: PeerName, app: number): Promise<RunningPeer> {
  const dir = await mkdtemp(join(tmpdir(), `wherry-${name}-`));
  const [listen = 0] = await freePorts(1);
  const config = join(dir, 'config');
  await writeFile(config, peers[name].config({ listen, app }, dir));
  const [file, ...args] = peers[name].start(config);
  const child = spawn(file, args, { stdio: 'ignore' });
  const stop = async () => {
    await ended(child);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await accepts(listen, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port: listen, stop };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise(resolve => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function accepts(port: number, child: ChildProcess): Promise<void> {
  const end = Date.now() + 10_000;
  for (;;) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect({ port, host: '127.0.0.1' });
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (child.exitCode !== null || Date.now() > end) throw new Error(`nothing listens on port ${port}`);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
