import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openTcpApi } from '../../src/api/open.ts';
import { systemClock } from '../../src/system/clock.ts';
import { silentLog } from '../../src/system/log.ts';
import { createBench } from '../commands/support.ts';
import { createAuthority } from '../support/certificates.ts';
import { freePorts } from '../support/ports.ts';
import { until } from '../support/until.ts';
import { ask, servicesOf } from './support.ts';

const dir = mkdtempSync(join(tmpdir(), 'wherry-open-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const certificate = join(dir, 'api.pem');
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
  rmSync(certificate, { force: true });
});

const authority = createAuthority();
const issue = (from = authority) => {
  const { chain, key } = from.issue(['localhost']);
  writeFileSync(certificate, `${key}${chain}`);
};

async function open(options: { certificate?: string; host?: string } = {}) {
  const [port = 0] = await freePorts(1);
  const errors: string[] = [];
  const { dispatch: _, ...services } = servicesOf(createBench());
  const api = await openTcpApi({
    ...services,
    address: { host: options.host ?? '127.0.0.1', port },
    files: { certificate: options.certificate ?? certificate, key: '' },
    plain: false,
    refused: () => {},
    authenticate: token => (token === 'right' ? { name: 'ann', token: 'ci' } : undefined),
    clock: systemClock,
    log: { ...silentLog, error: (fields: object) => void errors.push(JSON.stringify(fields)) },
    look: 20,
  });
  closing.push(api.close);
  const version = (root?: string) =>
    ask(
      { host: 'localhost', port, ...(root === undefined ? {} : { ca: root }) },
      { path: '/v1/version', headers: { authorization: 'Bearer right' } },
    ).then(({ status }) => status);
  return { version, errors };
}

describe('the API on TCP', () => {
  it('opens without TLS on loopback alone', async () => {
    const { version } = await open({ certificate: '' });
    expect(await version()).toBe(200);
    await expect(open({ certificate: '', host: '0.0.0.0' })).rejects.toThrow(/in clear/);
  });

  it('takes a certificate that is renewed while it serves', async () => {
    issue();
    const { version } = await open();
    expect(await version(authority.root)).toBe(200);
    const other = createAuthority();
    issue(other);
    await until('the new one', async () => (await version(other.root)) === 200);
  });

  it('stays closed, and stops nothing, until there is a certificate that can be used', async () => {
    writeFileSync(certificate, 'nonsense');
    const { version, errors } = await open();
    await expect(version(authority.root)).rejects.toThrow(/ECONNREFUSED/);
    expect(errors[0]).toMatch(/There is no certificate in it/);
    issue();
    await until('it to open', async () => (await version(authority.root)) === 200);
  });

  it('goes on with the last when the next cannot be used', async () => {
    issue();
    const { version, errors } = await open();
    writeFileSync(certificate, 'half of a');
    await until('the error', () => errors.length > 0);
    expect(await version(authority.root)).toBe(200);
  });
});
