import fc from 'fast-check';
import { describe, expect } from 'vitest';
import { parseTimeOfDay } from '../../../src/build/rebase-timer.ts';
import { parsePackageName } from '../../../src/build/stack/package-name.ts';
import { parseAddressList } from '../../../src/domain/address-list.ts';
import { archiveProperties, parseArchiveLimit } from '../../../src/domain/archive-limits.ts';
import { buildPropertyNames, parseBuildProperty } from '../../../src/domain/build-limits.ts';
import { parseBuildpackSource } from '../../../src/domain/buildpack-source.ts';
import { formatBytes, parseMemory } from '../../../src/domain/bytes.ts';
import { parseCertificate } from '../../../src/domain/certificate.ts';
import { scheduleFault } from '../../../src/domain/cron-task.ts';
import { parseDiskBudget, parseReserve } from '../../../src/domain/disk-budget.ts';
import { readBuildOptions, readRunOptions } from '../../../src/domain/docker-option.ts';
import { formatDuration, parseDuration } from '../../../src/domain/duration.ts';
import { parseEnvFile } from '../../../src/domain/env-file.ts';
import { parsePage } from '../../../src/domain/error-page.ts';
import { parseGitRemote } from '../../../src/domain/git-remote.ts';
import { parseBranch } from '../../../src/domain/git-settings.ts';
import { parseImageRef, parseRegistry } from '../../../src/domain/image-ref.ts';
import { parseLease } from '../../../src/domain/lease.ts';
import { parseGrace, parseServer } from '../../../src/domain/letsencrypt.ts';
import {
  parseAppName,
  parseConfigKey,
  parseDomain,
  parseProcessType,
  quoteForPeople,
} from '../../../src/domain/names.ts';
import { parseNetworkName, parseNetworkTld } from '../../../src/domain/network.ts';
import { formatPortMapping, parsePortMapping } from '../../../src/domain/port-map.ts';
import { proxySettings } from '../../../src/domain/proxying.ts';
import { parsePublicKey } from '../../../src/domain/public-key.ts';
import { parseRemoteUrl } from '../../../src/domain/remote-url.ts';
import { knobs } from '../../../src/domain/scaling.ts';
import { sleepSettings } from '../../../src/domain/sleeping.ts';
import { parseLogSize, parseRestartPolicy, parseStopTimeout } from '../../../src/domain/upkeep.ts';
import { formatVolumeMount, parseVolumeMount, parseVolumeName } from '../../../src/domain/volume.ts';
import { always, hostileText, orRefused } from './property.ts';

const text = hostileText([
  ...[
    'a',
    'A',
    'blog',
    'web',
    '1',
    '0',
    '9',
    '-',
    '.',
    '..',
    '/',
    '//',
    '_',
    ':',
    '@',
    '=',
    ',',
    ' ',
    '\t',
    '\n',
    '%2f',
    '*',
  ],
  ...[
    '[::1]',
    '127.0.0.1',
    '/24',
    'https://',
    'http://',
    'ssh://',
    'git@',
    'x.git',
    '#',
    '?',
    'sha256:',
    '0'.repeat(64),
  ],
  ...[
    'k',
    'm',
    'g',
    't',
    's',
    'ms',
    'h',
    'd',
    'e',
    '+',
    'NaN',
    '0x',
    '$',
    '"',
    "'",
    '\\',
    '\0',
    '\u202e',
    '\u0430',
    '\u{1f6a2}',
  ],
  ...[
    '--build-arg ',
    '-v ',
    '--memory ',
    'on-failure',
    'always',
    '-----BEGIN CERTIFICATE-----',
    '-----END CERTIFICATE-----',
  ],
  ...['ssh-ed25519 ', 'AAAAC3NzaC1lZDI1NTE5AAAAI', 'export ', '#', '@daily', '*/5', '<html>'],
]);

/** What is kept of a setting is text; what is kept once is kept alike the next time. */
type Reader = (text: string) => unknown;
const all = (table: Readonly<Record<string, { parse(text: string): unknown }>>): Reader[] =>
  Object.values(table).map(row => row.parse);

const readers: Readonly<Record<string, readonly Reader[]>> = {
  'the name of an app': [parseAppName],
  'a process type': [parseProcessType],
  'a domain': [parseDomain],
  'a config key': [parseConfigKey],
  'a name of storage or a mount': [parseVolumeName, given => parseVolumeMount(given, '/var/lib/wherry')],
  'a network': [parseNetworkName, parseNetworkTld],
  'a branch': [parseBranch],
  'a package': [parsePackageName],
  'an amount of memory or disk': [parseMemory, parseDiskBudget, parseReserve, parseLogSize],
  'a time': [parseDuration, parseTimeOfDay, parseGrace, parseStopTimeout, parseLease],
  'a limit of builds or archives': [
    ...buildPropertyNames.map(
      (name): Reader =>
        given =>
          parseBuildProperty(name, given),
    ),
    ...archiveProperties.map(
      (name): Reader =>
        given =>
          parseArchiveLimit(name, given),
    ),
  ],
  'a port': [parsePortMapping],
  'a way to restart': [parseRestartPolicy],
  'a setting of the edge, of sleep or of scale': [
    ...all(proxySettings),
    ...all(sleepSettings),
    ...all(knobs),
  ],
  'a list of addresses': [given => parseAddressList(given, 'trusted proxies')],
  'an address elsewhere': [parseRemoteUrl, parseGitRemote, parseServer, parseBuildpackSource],
  'an image or a registry': [parseImageRef, parseRegistry],
  'an option of docker': [given => readRunOptions([given]), given => readBuildOptions([given])],
  'a key or a certificate': [parsePublicKey, given => parseCertificate(given, new Date(0))],
  'an env file': [parseEnvFile],
  'a page for errors': [parsePage],
};

describe.each(Object.entries(readers))('%s', (_what, parsers) => {
  always('is taken or refused with a sentence, whatever it is', {
    of: text,
    corpus: 'settings',
    holds: given => {
      for (const parse of parsers) orRefused(() => parse(given));
    },
  });
});

describe('what is taken', () => {
  always('of names is a path segment, and itself the next time', {
    of: text,
    corpus: 'settings',
    holds: given => {
      for (const parse of [parseAppName, parseProcessType, parseConfigKey, parseDomain, parseNetworkName]) {
        const name = orRefused(() => parse(given));
        if (name === undefined) continue;
        expect(name).toMatch(/^(?!\.{1,2}$)(?:\*\.)?[\w.-]{1,255}$/);
        expect(name).not.toMatch(/\.\.|^-/);
        expect(parse(name)).toBe(name);
      }
    },
  });

  always('of amounts is a number in its range', {
    of: text,
    corpus: 'settings',
    holds: given => {
      for (const parse of [parseMemory, parseDuration, parseLogSize, parseStopTimeout, parseLease]) {
        const number = orRefused(() => parse(given) as number) ?? 0;
        expect(Number.isFinite(number) && number >= 0, given).toBe(true);
      }
    },
  });

  always('of ports and mounts is the same once written', {
    of: fc.oneof(
      text,
      fc
        .tuple(fc.constantFrom('http', 'https', 'grpc', 'tcp'), fc.nat(70_000), fc.nat(70_000))
        .map(each => each.join(':')),
      fc
        .tuple(
          fc.constantFrom('blog', '/srv/x', 'a/b'),
          fc.constantFrom('/data', '/a/b'),
          fc.constantFrom('', ':ro', ':rw'),
        )
        .map(([source, target, mode]) => `${source}:${target}${mode}`),
    ),
    holds: given => {
      const port = orRefused(() => parsePortMapping(given));
      if (port) expect(parsePortMapping(formatPortMapping(port))).toEqual(port);
      const mount = orRefused(() => parseVolumeMount(given, '/var/lib/wherry'));
      if (mount) expect(parseVolumeMount(formatVolumeMount(mount), '/var/lib/wherry')).toEqual(mount);
    },
  });

  always('of durations is the same once written', {
    of: fc.nat(999_999_999),
    holds: milliseconds => expect(parseDuration(formatDuration(milliseconds))).toBe(milliseconds),
  });

  always('of memory is nearly the same once written', {
    of: fc.integer({ min: 4 * 2 ** 20, max: 4 * 2 ** 40 }),
    holds: bytes => {
      const again = parseMemory(formatBytes(bytes));
      expect(Math.abs(again - bytes) / bytes).toBeLessThan(0.05);
    },
  });
});

describe('what is shown', () => {
  always('of anything at all is one short line of plain characters', {
    of: text,
    holds: given => expect(quoteForPeople(given)).toMatch(/^"[\x20-\x7e]{0,660}"$/),
  });
});

describe('a schedule', () => {
  always('is due at some time or has a fault', {
    of: hostileText(
      [
        '*',
        '/',
        '-',
        ',',
        ' ',
        '0',
        '1',
        '5',
        '31',
        '59',
        'L',
        'W',
        '#',
        '?',
        '@daily',
        '@reboot',
        'MON',
        'FEB',
        '|',
        ';rm',
      ],
      2000,
    ),
    holds: given => void scheduleFault(given),
  });
});
