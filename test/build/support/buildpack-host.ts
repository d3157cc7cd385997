import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { must } from '../../support/run.ts';

export type BuildpackHost = Awaited<ReturnType<typeof openBuildpackHost>>;
export type Files = Readonly<Record<string, string>>;

const identity = {
  GIT_AUTHOR_NAME: 't',
  GIT_AUTHOR_EMAIL: 't@e',
  GIT_COMMITTER_NAME: 't',
  GIT_COMMITTER_EMAIL: 't@e',
};
const env = { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', GIT_CONFIG_NOSYSTEM: '1', ...identity };

/**
 * A host of buildpacks on loopback: `/smart/NAME.git` by git's own HTTP backend, `/dumb/NAME.git` as plain files,
 * `/files/...` as they are, `/to/STATUS/URL/...` redirects. Stands in for hosts on the Internet.
 */
export async function openBuildpackHost(dir: string, tls?: { key: Buffer; cert: Buffer }) {
  const requests: string[] = [];
  const told: string[] = [];
  const lock: { login?: string } = {};
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`);
    const { authorization } = request.headers;
    if (authorization !== undefined) told.push(authorization);
    const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
    if (lock.login !== undefined && authorization !== `Basic ${Buffer.from(lock.login).toString('base64')}`)
      return void response.writeHead(401).end();
    if (pathname.startsWith('/smart/')) return backend(dir, request, response);
    const [, to, status, target = ''] = pathname.split('/');
    if (to === 'to') return redirect(response, Number(status), decodeURIComponent(target));
    if (pathname.startsWith('/moved/'))
      return redirect(response, 301, `/smart/${pathname.slice(7)}${search}`);
    const file = join(dir, pathname.replace(/^\/dumb\//, '/smart/'));
    const found = statSync(file, { throwIfNoEntry: false })?.isFile();
    response.writeHead(found ? 200 : 404);
    response.end(found ? readFileSync(file) : 'not found');
  };
  const server = tls ? createSecureServer(tls, answer) : createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  const url = `${tls ? 'https' : 'http'}://${host}`;

  return {
    host,
    url,
    /** What was asked of it, oldest first. */
    requests,
    /** Authorization headers that came. */
    told,
    /** `USER:PASSWORD` that it wants from now on. */
    lock,
    /** Commits the files, and submodules at commits, to a repository, made at the first time; the commit. Scripts in `bin/` can be run. */
    async commit(name: string, files: Files, submodules: Files = {}): Promise<string> {
      const work = join(dir, 'work', name);
      const bare = join(dir, 'smart', `${name}.git`);
      const git = async (...args: string[]) => (await must('git', args, { cwd: work, env })).trim();
      if (!statSync(work, { throwIfNoEntry: false })) {
        mkdirSync(work, { recursive: true });
        await git('init', '--quiet', '--initial-branch=main', '.');
        await git('init', '--quiet', '--bare', '--initial-branch=main', bare);
      }
      writeFiles(work, files);
      await git('add', '--all');
      for (const [path, commit] of Object.entries(submodules))
        await git('update-index', '--add', '--cacheinfo', `160000,${commit},${path}`);
      await git('commit', '--quiet', '--allow-empty', '-m', 'next');
      await git('push', '--quiet', '--force', bare, 'main');
      await must('git', ['update-server-info'], { cwd: bare, env });
      return await git('rev-parse', 'HEAD');
    },
    async tag(name: string, tag: string): Promise<void> {
      const work = join(dir, 'work', name);
      await must('git', ['tag', '-a', tag, '-m', tag], { cwd: work, env });
      await must('git', ['push', '--quiet', join(dir, 'smart', `${name}.git`), tag], { cwd: work, env });
    },
    /** An archive of the files below `folder/`, compressed by its ending. */
    async archive(name: string, files: Files, folder = '.'): Promise<string> {
      const work = join(dir, 'archives', `${name}.d`);
      mkdirSync(join(dir, 'files'), { recursive: true });
      writeFiles(join(work, folder), files);
      await must('tar', [
        '--create',
        '--auto-compress',
        `--file=${join(dir, 'files', name)}`,
        '-C',
        work,
        folder,
      ]);
      return `${url}/files/${name}`;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

export function writeFiles(dir: string, files: Files): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, name)), { recursive: true });
    writeFileSync(join(dir, name), text, { mode: name.startsWith('bin/') ? 0o755 : 0o644 });
  }
}

function redirect(response: ServerResponse, status: number, location: string): void {
  response.writeHead(status, { location });
  response.end();
}

/** CGI, as git-http-backend(1) wants it. */
function backend(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://localhost');
  const child = spawn('git', ['http-backend'], {
    env: {
      ...env,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.on('close', () => {
    const answer = Buffer.concat(chunks);
    const end = answer.indexOf('\r\n\r\n');
    const lines = answer.toString('latin1', 0, end).split('\r\n');
    const headers = lines.map(line => line.split(': ') as [string, string]);
    const status = headers.find(([name]) => name === 'Status')?.[1];
    response.writeHead(
      Number(status?.slice(0, 3) ?? 200),
      headers.filter(([name]) => name !== 'Status').flat(),
    );
    response.end(answer.subarray(end + 4));
  });
}
