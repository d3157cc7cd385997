// What a proxy must get right, by number. A test that shows one of these carries its number in its title, as in
// "(A6.5c)"; here it is found when one has no test any more.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const checklist: Readonly<Record<string, string>> = {
  'A6.1a': 'hop-by-hop headers and those that Connection names end here, ours do not',
  'A6.1b': 'the same on the way back',
  'A6.2a': 'forwarding headers of a visitor are replaced; the port is the listener’s',
  'A6.2b': 'those of a trusted proxy go on',
  'A6.2c': 'a sane X-Request-ID is kept',
  'A6.3a': 'a missing, repeated or invalid Host is a 400',
  'A6.3b': 'Host goes on as it was written, and is looked up without case, port and trailing dot',
  'A6.3c': 'an absolute-form target overrides Host',
  'A6.4a': 'the request target goes on byte for byte',
  'A6.4b': 'control bytes in it are refused',
  'A6.4c': 'headers keep their order and duplicates',
  'A6.5a': 'a request whose length can be read in two ways is refused',
  'A6.5b': 'bare line ends and folded headers never reach an app',
  'A6.5c': 'a request that ends within its body ends the connection to the app',
  'A6.5d': 'a connection to an app that holds unread bytes is not used again',
  'A6.6a': 'bodies of GET, DELETE and OPTIONS keep their framing',
  'A6.6b': 'HEAD, 204 and 304 have no body and no made-up length',
  'A6.6c': 'HTTP/1.0 clients get no chunks',
  'A6.7a': '100 is sent when an instance is admitted, not before',
  'A6.7b': 'Expect ends here',
  'A6.7c': 'what is refused gets no 100',
  'A6.8a': 'heads and events are passed on at once',
  'A6.8b': 'a slow client slows the app down',
  'A6.8c': 'a slow app slows the client down',
  'A6.9a': 'a client that leaves ends the request at the app',
  'A6.9b': 'an app that dies within an answer cuts the client off',
  'A6.10a': 'trailers and early hints reach the client',
  'A6.10b': 'trailers of a request reach the app',
  'A6.10c': 'gRPC: HTTP/2 on both sides, with trailers, full duplex',
  'A6.11a': 'websockets work and count as in flight',
  'A6.11b': 'a refused upgrade is an ordinary answer',
  'A6.11c': 'only a GET with the one token is an upgrade',
  'A6.11d': 'one direction of a tunnel may end before the other',
  'A6.11e': 'a stream that is idle is not cut',
  'A6.12a': 'more than 16 KiB or 100 headers are a 431',
  'A6.12b': 'a target of more than 8 KiB is a 414',
  'A6.12c': 'a body beyond the app’s limit is an early 413',
  'A6.12d': 'an answer that does not begin in time is a 504',
  'A6.13a': 'a head that takes longer than 10 s is a 408, and silence is closed without a word',
  'A6.13b': 'a body has a lowest speed, and no longest time',
  'A6.13c': 'connections are bounded in all and by address',
  'A6.13d': 'a client that does not read is cut off',
  'A6.14': 'HTTP/2 to the client, bounded in streams, headers and resets',
  'A6.15a': 'an unknown host is a 404',
  'A6.15b': 'pages are HTML or JSON, by Accept',
  'A6.15c': 'an app that does not serve is a 503 with Retry-After',
  'A6.15d': 'an app that fails is a 502 with the reason for machines',
  'A6.15e': 'an app that is late is a 504',
  'A6.15f': 'an app has pages of its own',
  'A6.16a': 'an instance that leaves takes no new request and finishes what it has',
  'A6.16b': 'replacing instances under load loses nothing',
  'A6.16c': 'stopping waits, then cuts websockets too',
  'A6.17a': 'the less busy of two instances is taken',
  'A6.17b': 'sticky sessions hold while the instance lives',
  'A6.18a': 'PROXY headers are read where switched on, from trusted peers alone',
  'A6.18b':
    'TLS 1.2 and newer, a certificate for each name and one for none, swapped while connections go on',
  'A6.18c': 'session tickets end with their keys, which change',
  'A6.19a': 'http becomes https, by 308 where a method must stay, never for ACME; HSTS where it is asked for',
  'A6.19b': 'an access log with times, bytes and instance',
  'A6.19c': 'metrics with bounded labels',
};

/** What has no test yet, and why. It may only shrink. */
const later: Readonly<Record<string, string>> = {};

const here = new URL('.', import.meta.url).pathname;

describe('the list of what a proxy must get right', () => {
  const tested = numbersOf(
    readdirSync(here)
      .filter(name => name.endsWith('.test.ts') && name !== 'checklist.test.ts')
      .map(name => readFileSync(join(here, name), 'utf8')),
  );

  it('has all of its nineteen lines', () => {
    const lines = new Set(Object.keys(checklist).map(number => Number(/^A6\.(\d+)/.exec(number)?.[1])));
    expect([...lines]).toEqual(Array.from({ length: 19 }, (_, i) => i + 1));
  });

  it.each(Object.entries(checklist).filter(([number]) => later[number] === undefined))(
    'has a test of %s: %s',
    number => {
      expect(tested).toContain(number);
    },
  );

  it('puts off only what has no test yet', () => {
    expect(Object.keys(later).filter(number => tested.has(number))).toEqual([]);
    expect(Object.keys(later).filter(number => checklist[number] === undefined)).toEqual([]);
  });

  it('knows every number that a test carries', () => {
    expect([...tested].filter(number => checklist[number] === undefined)).toEqual([]);
  });
});

it('numbers are found in titles alone', () => {
  const source =
    "// like (A6.1a)\nit('does it (A6.2b, A6.3)', () => {});\nit.each(all)('%s (A6.4c)', () => {});";
  expect([...numbersOf([source])]).toEqual(['A6.2b', 'A6.3', 'A6.4c']);
});

/** The numbers at the ends of quoted titles. */
function numbersOf(sources: readonly string[]): Set<string> {
  const groups = sources.flatMap(source => [...source.matchAll(/ \((A6\.[^)]*)\)['"`],/g)]);
  return new Set(groups.flatMap(([, numbers = '']) => numbers.split(', ')));
}
