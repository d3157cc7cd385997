import type { Outcome } from '../acme/certifier.ts';
import { isEnabled, readPolicy } from '../acme/policy.ts';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import {
  type LetsencryptSetting,
  letsencryptKey,
  letsencryptSettingNames,
  letsencryptSettings,
} from '../domain/letsencrypt.ts';
import { choice, optional, text, toggle } from './args.ts';
import type { Context } from './context.ts';
import { defineCommand } from './define.ts';
import { tell } from './doing.ts';
import { app, appOrGlobal } from './kinds.ts';
import { columns, heading } from './lines.ts';
import { defineReport } from './report.ts';
import { setProperty, settingDone } from './set-property.ts';

const enable = defineCommand({
  name: 'letsencrypt:enable',
  summary: 'Get certificates for the domains of an app, now and from now on',
  description:
    "By ACME, from Let's Encrypt unless set otherwise: one for each domain, also for those that are added later, renewed before it ends. The domain's DNS must point to this host, and port 80 must be open. It need not be deployed.",
  examples: ['letsencrypt:enable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const { store, progress, settings } = context;
    if (settings.https === undefined)
      throw new WherryError('unavailable', 'HTTPS is off here. Start the daemon without "--https none".');
    if (store.domains.list(owner).length === 0)
      throw new WherryError('not-found', `App ${owner.name} has no domain. Add one first.`, {
        hint: `domains:add ${owner.name} www.example.org`,
      });
    if (!isEnabled(store, owner)) {
      store.properties.set(scope(owner), letsencryptKey('enabled'), 'true');
      tell(context, owner, 'letsencrypt', 'Certificates are got by themselves');
    }
    progress.step(`Getting certificates for ${owner.name} from ${serverOf(context, owner)}`);
    const outcomes = await context.certifier.renew(owner, { all: false });
    say(context, outcomes);
    return checked(owner, outcomes);
  },
  text: () => [],
});

const disable = defineCommand({
  name: 'letsencrypt:disable',
  summary: 'Get no more certificates for an app, and drop those that it got',
  description:
    'Its visitors come over plain HTTP then, unless it was given a certificate. letsencrypt:revoke also revokes them.',
  examples: ['letsencrypt:disable blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    end(context, owner);
    const removed = await context.certifier.forget(owner);
    context.progress.step(
      removed.length > 0 ? `Removed the certificates for ${removed.join(', ')}` : 'Disabled',
    );
    return { app: owner.name, removed };
  },
  text: () => [],
});

const revoke = defineCommand({
  name: 'letsencrypt:revoke',
  summary: 'Revoke the certificates that an app got, and get no more',
  description: 'When a key may be known to others. letsencrypt:enable then gets new ones with new keys.',
  examples: ['letsencrypt:revoke blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const enabled = isEnabled(context.store, owner);
    end(context, owner);
    const revoked = await context.certifier.revoke(owner);
    if (revoked.length === 0 && !enabled) throw none(owner);
    context.progress.step(`Revoked the certificates for ${revoked.join(', ') || 'none'}`);
    tell(context, owner, 'letsencrypt', `Revoked the certificates for ${revoked.join(', ') || 'none'}`);
    return { app: owner.name, revoked };
  },
  text: () => [],
});

const autoRenew = defineCommand({
  name: 'letsencrypt:auto-renew',
  summary: 'Renew the certificates that are due, of one app or all',
  description: 'The daemon does so by itself; this does it now, also where an earlier failure made it wait.',
  examples: ['letsencrypt:auto-renew', 'letsencrypt:auto-renew blog', 'letsencrypt:auto-renew blog --all'],
  args: { app: optional(app) },
  flags: { all: toggle({ help: 'also those that are not due' }) },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const { store, certifier } = context;
    const only = input.app === undefined ? undefined : context.app(input.app);
    if (only && !isEnabled(store, only)) throw none(only);
    const apps = only ? [only] : context.apps().filter(each => isEnabled(store, each));
    const found = [];
    for (const each of apps)
      found.push({ owner: each, outcomes: await certifier.renew(each, { all: input.all }) });
    for (const { outcomes } of found) say(context, outcomes);
    return found.map(({ owner, outcomes }) => checked(owner, outcomes));
  },
  text: () => [],
});

const list = defineCommand({
  name: 'letsencrypt:list',
  summary: 'List the certificates that apps got, with their ends',
  examples: ['letsencrypt:list', 'letsencrypt:list --format json'],
  args: {},
  access: { app: 'read' },
  effect: 'read',
  run: ({ store, certifier, apps }) =>
    apps()
      .filter(each => isEnabled(store, each))
      .flatMap(each =>
        certifier.status(each).map(({ host, certificate, renewAt, skipped, error }) => ({
          app: each.name,
          host,
          expires_at: certificate?.notAfter.toISOString() ?? null,
          renews_at: renewAt?.toISOString() ?? null,
          problem: skipped ?? error ?? null,
        })),
      ),
  text(rows) {
    const [head = '', ...lines] = columns([
      ['App name', 'Domain', 'Certificate expiry', 'Renewal', 'Problem'],
      ...rows.map(({ app: name, host, expires_at, renews_at, problem }) => {
        return [name, host, minute(expires_at), minute(renews_at), problem ?? ''];
      }),
    ]);
    return [heading(head), ...lines];
  },
});

const active = defineCommand({
  name: 'letsencrypt:active',
  summary: 'Tell whether certificates are got for an app: true or false',
  examples: ['letsencrypt:active blog'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run: (context, input) => ({ active: isEnabled(context.store, context.app(input.app)) }),
  text: result => [String(result.active)],
});

const cleanup = defineCommand({
  name: 'letsencrypt:cleanup',
  summary: 'Drop the certificates that an app got for domains that it has no more',
  examples: ['letsencrypt:cleanup blog'],
  args: { app },
  access: { app: 'write' },
  effect: 'write',
  async run(context, input) {
    const owner = context.app(input.app);
    const removed = await context.certifier.forget(owner, { stale: true });
    context.progress.step(`Removed the certificates for ${removed.join(', ') || 'none'}`);
    return { app: owner.name, removed };
  },
  text: () => [],
});

const set = defineCommand({
  name: 'letsencrypt:set',
  summary: 'Set or, without a value, unset how certificates are got for an app or all',
  description: letsencryptSettingNames.map(name => `${name}: ${letsencryptSettings[name].help}.`).join(' '),
  examples: [
    'letsencrypt:set --global email ann@example.org',
    'letsencrypt:set blog server staging',
    'letsencrypt:set blog graceperiod 20d',
  ],
  args: {
    app: appOrGlobal,
    property: choice('property', letsencryptSettingNames),
    value: optional(text('value')),
  },
  access: { app: 'write' },
  effect: 'write',
  result: settingDone,
  run(context, input) {
    const { app: name, property } = input;
    const value = input.value || undefined;
    if (property === 'dns-hook' && context.actor.via !== 'local')
      throw new WherryError('invalid', 'A DNS hook runs as root on the server. Set it from the shell there.');
    if (value !== undefined) letsencryptSettings[property].parse(value);
    return setProperty(context, {
      app: name,
      property,
      key: letsencryptKey(property),
      value,
      event: 'letsencrypt',
    });
  },
  text: () => [],
});

const report = defineReport({
  name: 'letsencrypt:report',
  summary: 'Show how certificates are got for one app or all, and how that stands',
  examples: ['letsencrypt:report blog', 'letsencrypt:report blog --letsencrypt-expires-at'],
  title: 'letsencrypt',
  prefix: 'letsencrypt-',
  values({ store, certifier }, each) {
    const hosts = certifier.status(each);
    const ends = hosts.flatMap(({ certificate }) => certificate?.notAfter.toISOString() ?? []).sort();
    const renewals = hosts.flatMap(({ renewAt }) => renewAt?.toISOString() ?? []).sort();
    return {
      active: String(isEnabled(store, each)),
      hosts: hosts.flatMap(({ host, certificate }) => (certificate ? [host] : [])).join(' '),
      'missing-hosts': hosts.flatMap(({ host, certificate }) => (certificate ? [] : [host])).join(' '),
      'expires-at': ends[0] ?? '',
      'renews-at': renewals[0] ?? '',
      problems: hosts.flatMap(({ skipped, error }) => skipped ?? error ?? []).join(' '),
      ...Object.fromEntries(letsencryptSettingNames.flatMap(name => settingValues(store, each, name))),
    };
  },
});

export const letsencryptCommands = [enable, disable, revoke, autoRenew, list, active, cleanup, set, report];

function settingValues(store: Context['store'], each: App, name: LetsencryptSetting): [string, string][] {
  const key = letsencryptKey(name);
  return [
    [name, store.properties.get(scope(each), key) ?? ''],
    [`global-${name}`, store.properties.get('global', key) ?? ''],
    [`computed-${name}`, store.properties.resolve(each.id, key) ?? letsencryptSettings[name].usual],
  ];
}

function say({ progress }: Context, outcomes: readonly Outcome[]): void {
  for (const each of outcomes) {
    if ('reason' in each) progress.warn(each.reason);
    else {
      const verb = each.outcome === 'issued' ? 'Got a' : 'Kept the';
      progress.step(`${verb} certificate for ${each.host}, good until ${minute(each.until.toISOString())}`);
    }
  }
}

/** @throws failed when one of its hosts failed, or none has a certificate */
function checked(owner: App, outcomes: readonly Outcome[]) {
  const failed = outcomes.filter(({ outcome }) => outcome === 'failed');
  const hint = `letsencrypt:report ${owner.name}`;
  if (failed.length > 0)
    throw new WherryError(
      'failed',
      `No certificate was got for ${failed.map(({ host }) => host).join(', ')}. It is tried again later; what is in use stays.`,
      { hint },
    );
  if (outcomes.every(({ outcome }) => outcome === 'skipped'))
    throw new WherryError('failed', `No certificate can be got for a domain of ${owner.name}.`, { hint });
  return { app: owner.name, hosts: outcomes };
}

function end(context: Context, owner: App): void {
  if (!isEnabled(context.store, owner)) return;
  context.store.properties.set(scope(owner), letsencryptKey('enabled'), undefined);
  tell(context, owner, 'letsencrypt', 'No more certificates are got');
}

function none(owner: App): WherryError {
  return new WherryError('not-found', `No certificates are got for app ${owner.name}. Enable that first.`, {
    hint: `letsencrypt:enable ${owner.name}`,
  });
}

function serverOf(context: Context, owner: App): string {
  return new URL(readPolicy(context.store, owner).server).host;
}

function scope({ id }: App): string {
  return `app:${id}`;
}

function minute(iso: string | null): string {
  return iso?.slice(0, 16).replace('T', ' ') ?? '';
}
