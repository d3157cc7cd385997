import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '../../src/system/exec.ts';
import { freePorts } from './ports.ts';
import { must } from './run.ts';
import { until } from './until.ts';

// A server of its own beside the project's packages: its hundred dependencies are nobody's who does not run this test.
const server = '@20minutes/s3rver@4.0.4';
const program = `
  const [module, directory, port] = process.argv.slice(1);
  const S3rver = require(module);
  new S3rver({ directory, port, address: '127.0.0.1', silent: true, allowMismatchedSignatures: true }).run();
`;

/** An S3 server on a free loopback port that knows one key. Signatures must be well formed; it does not compare them. */
export async function startS3() {
  const home = await install();
  const directory = mkdtempSync(join(tmpdir(), 'wherry-s3-'));
  const [port = 0] = await freePorts(1);
  const module = join(home, 'node_modules/@20minutes/s3rver');
  const child = spawn(process.execPath, ['-e', program, module, directory, String(port)], {
    stdio: 'ignore',
  });
  const address = `http://127.0.0.1:${port}`;
  await until('the S3 server', async () => (await fetch(address)).status > 0);
  return {
    address: `127.0.0.1:${port}`,
    directory,
    accessKey: 'S3RVER',
    secretKey: 'S3RVER',
    stop(): void {
      child.kill('SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** From the npm registry, once a host. */
async function install(): Promise<string> {
  const tools = join(process.env['WHERRY_CACHE'] ?? '/var/cache/wherry', 'test-tools');
  const home = join(tools, 's3rver-4.0.4');
  if (existsSync(home)) return home;
  mkdirSync(tools, { recursive: true });
  const fresh = mkdtempSync(join(tools, 'new-'));
  const quiet = ['--no-audit', '--no-fund', '--no-save', '--loglevel=error'];
  const { PATH = '', HOME = '/root', NODE_EXTRA_CA_CERTS } = process.env;
  await must('npm', ['install', '--prefix', fresh, '--ignore-scripts', ...quiet, server], {
    timeout: 180_000,
    env: { PATH, HOME, ...(NODE_EXTRA_CA_CERTS ? { NODE_EXTRA_CA_CERTS } : {}) },
  });
  try {
    renameSync(fresh, home);
  } catch (error) {
    // Another test may have been quicker.
    if (!existsSync(home)) throw error;
    rmSync(fresh, { recursive: true, force: true });
  }
  return home;
}
