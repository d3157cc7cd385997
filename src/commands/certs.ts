import { readFile } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { isEnabled } from '../acme/policy.ts';
import type { App } from '../domain/app.ts';
import { type Certificate, isFor, parseCertificate } from '../domain/certificate.ts';
import { WherryError } from '../domain/errors.ts';
import type { CertificateSource, StoredCertificate } from '../store/certificates.ts';
import { faultPoint } from '../system/fault.ts';
import { makeSelfSigned } from '../system/self-signed.ts';
import { choice, optional, shown, text } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, appOrGlobal, domain } from './kinds.ts';
import { readStdin } from './read-stdin.ts';
import { defineReport } from './report.ts';

/** Bytes of PEM text or of an archive with it. */
const mostPem = 2 ** 20;

const [add, update] = (['add', 'update'] as const).map(verb =>
  defineCommand({
    name: `certs:${verb}`,
    summary:
      verb === 'add'
        ? 'Give an app a certificate and its key'
        : 'Replace a certificate of an app by a newer one',
    description:
      'PEM text on standard input, or a tar archive of it: certificate, chain and key in any order; on the server itself also two absolute paths. It is used at once, for those domains of the app that it names; a certificate for the same names goes. With --global it is for the hosts of all apps that have none of their own. Visitors who come over plain HTTP are sent to HTTPS then.',
    examples: [
      `certs:${verb} blog`,
      `certs:${verb} blog /etc/ssl/blog.crt /etc/ssl/blog.key`,
      `certs:${verb} --global`,
    ],
    args: {
      app: appOrGlobal,
      certificate: optional(text('crt')),
      // A path, but some put the key itself here.
      key: optional({ ...text('key'), secret: 'all' }),
    },
    access: { app: 'write' },
    effect: 'write',
    stdin: true,
    async run(context, input) {
      const owner = input.app === undefined ? undefined : context.app(input.app);
      const pem = await readPem(context, input);
      const given = parseCertificate(pem, context.clock.now());
      if (verb === 'update' && replacedBy(context, owner, given).length === 0)
        throw new WherryError(
          'not-found',
          `There is no certificate for ${given.names.join(', ')} to replace.`,
          {
            hint: `certs:add ${owner?.name ?? '--global'}`,
          },
        );
      return await put(context, owner, given, 'given');
    },
    text: () => [],
  }),
) as [ReturnType<typeof defineCommand>, ReturnType<typeof defineCommand>];

const generate = defineCommand({
  name: 'certs:generate',
  summary: 'Make a self-signed certificate for a domain of an app',
  description:
    'For tests and internal hosts: browsers warn of it. letsencrypt:enable gets one that they trust.',
  examples: ['certs:generate blog blog.example.org'],
  args: { app, domain },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const pem = await makeSelfSigned(input.domain);
    return await put(context, owner, parseCertificate(pem, context.clock.now()), 'self-signed');
  },
  text: () => [],
});

const remove = defineCommand({
  name: 'certs:remove',
  summary: 'Remove the certificates of an app, or the one for a domain',
  examples: ['certs:remove blog', 'certs:remove blog www.example.org', 'certs:remove --global'],
  args: { app: appOrGlobal, domain: optional(domain) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = input.app === undefined ? undefined : context.app(input.app);
    const host = input.domain;
    const all = context.store.certificates.list(owner ?? 'global');
    const going = all.filter(({ names }) => host === undefined || names.some(name => isFor(name, host)));
    if (going.length === 0) throw none(owner, host);
    for (const { id } of going) context.store.certificates.remove(id);
    await applied(
      context,
      owner,
      `Removed the certificate for ${going.flatMap(({ names }) => names).join(', ')}`,
    );
    if (owner && going.some(({ source }) => source === 'acme') && isEnabled(context.store, owner))
      context.progress.warn(`Another one is got soon. letsencrypt:disable ${owner.name} ends that`);
    return { app: owner?.name ?? null, removed: going.map(({ names }) => names) };
  },
  text: () => [],
});

const show = defineCommand({
  name: 'certs:show',
  summary: 'Print the certificate of an app with its chain, or its key',
  examples: ['certs:show blog crt', 'certs:show blog key'],
  args: { app, part: choice('part', ['crt', 'key']) },
  access: { app: 'write' },
  effect: 'read',
  run(context, input) {
    const owner = context.app(input.app);
    const found = context.store.certificates.list(owner).at(-1);
    if (!found) throw none(owner, undefined);
    return { [input.part]: input.part === 'crt' ? found.chain : context.store.certificates.key(found.id) };
  },
  text: (result, input) => (result[input.part] ?? '').trimEnd().split('\n'),
});

const report = defineReport({
  name: 'certs:report',
  summary: 'Show which certificates one app or all have, for which hosts and until when',
  examples: ['certs:report blog', 'certs:report blog --ssl-expires-at'],
  title: 'ssl',
  prefix: 'ssl-',
  values(context, each) {
    const list = context.store.certificates.list(each);
    const newest = list.at(-1);
    const hosts = context.store.domains.list(each);
    return {
      enabled: String(list.length > 0),
      hostnames: list.flatMap(({ names }) => names).join(' '),
      covered: hosts.filter(host => covers(list, host)).join(' '),
      'not-covered': hosts.filter(host => !covers(list, host)).join(' '),
      'starts-at': newest?.notBefore.toISOString() ?? '',
      'expires-at': newest?.notAfter.toISOString() ?? '',
      issuer: newest?.issuer ?? '',
      source: newest?.source ?? '',
      verified: newest ? String(!newest.selfSigned) : '',
    };
  },
});

export const certsCommands = [add, update, generate, remove, show, report];

async function readPem(
  context: Context,
  input: { certificate: string | undefined; key: string | undefined },
): Promise<string> {
  const { certificate, key } = input;
  if (certificate === undefined) {
    const sent = await readStdin(context.stdin, { until: 'end', max: mostPem, signal: context.signal });
    if (sent !== '') return sent;
    throw new WherryError(
      'usage',
      'Nothing came on standard input. Send certificate and key as PEM: cat CRT KEY | ...',
    );
  }
  if (context.actor.via !== 'local')
    throw new WherryError(
      'invalid',
      'Files of the server are read for its own shell alone. Send certificate and key on standard input.',
    );
  if (key === undefined) throw new WherryError('usage', 'Give the key too, behind the certificate.');
  return `${await readGiven(certificate)}\n${await readGiven(key)}`;
}

async function readGiven(path: string): Promise<string> {
  if (!isAbsolute(path))
    throw new WherryError('invalid', `${shown(path)} is not an absolute path. Write it from / on.`);
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new WherryError('not-found', `${shown(path)} cannot be read. Check the path.`, { cause });
  }
}

async function put(
  context: Context,
  owner: App | undefined,
  given: Certificate,
  source: CertificateSource,
): Promise<object> {
  const { store, clock, progress } = context;
  store.transaction(() => {
    for (const { id } of replacedBy(context, owner, given)) store.certificates.remove(id);
    store.certificates.put(owner ?? 'global', given, { source, at: clock.now() });
  });
  const missed = owner
    ? store.domains.list(owner).filter(host => !given.names.some(name => isFor(name, host)))
    : [];
  await applied(context, owner, `Set the certificate for ${given.names.join(', ')}`);
  if (missed.length > 0) progress.warn(`It is not for ${missed.join(', ')}`);
  return {
    app: owner?.name ?? null,
    names: given.names,
    expires_at: given.notAfter.toISOString(),
    not_covered: missed,
  };
}

/** Those of the same owner that are for nothing else. */
function replacedBy(context: Context, owner: App | undefined, given: Certificate): StoredCertificate[] {
  const all = context.store.certificates.list(owner ?? 'global');
  return all.filter(({ names }) => names.every(name => given.names.some(other => isFor(other, name))));
}

async function applied(context: Context, owner: App | undefined, words: string): Promise<void> {
  context.progress.step(words);
  if (owner) tell(context, owner, 'certs', words);
  await faultPoint('certs:stored');
  await context.deployer.applyRoutes();
}

function covers(list: readonly StoredCertificate[], host: string): boolean {
  return list.some(({ names }) => names.some(name => isFor(name, host)));
}

function none(owner: App | undefined, host: string | undefined): WherryError {
  const whose = owner ? `App ${owner.name} has` : 'There is';
  return new WherryError('not-found', `${whose} no certificate${host === undefined ? '' : ` for ${host}`}.`, {
    hint: `certs:report ${owner?.name ?? ''}`.trim(),
  });
}
