import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BuildNetwork } from '../../../src/domain/build-limits.ts';
import { leftovers } from '../../support/leftovers.ts';
import { type Outside, openOutside } from '../support/outside.ts';
import { openShellBench, type ShellBench, web } from '../support/shell-bench.ts';

// What a build reaches in each of its networks. The Internet is an address that is nobody's, the host's network are private ones.

const near = '198.51.100.1';
const internet = '198.51.100.2';
const privates = ['10.222.222.2', '172.31.222.2', '192.168.222.2', '100.64.222.2'];
/** Where clouds keep the metadata of a host: in this range. */
const metadata = '169.254.222.222';
/** Where they keep it in fact: asked where this host has none itself. */
const wellKnown = '169.254.169.254';
const hostIsInCloud = await new Promise<boolean>(resolve => {
  const socket = connect({ host: wellKnown, port: 80, timeout: 1000 });
  const end = (answered: boolean) => () => {
    socket.destroy();
    resolve(answered);
  };
  socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
});
const clouds = hostIsInCloud ? [metadata] : [metadata, wellKnown];

let outside: Outside;
let host: Server;
let hostPort: number;
let source: string;
let bench: ShellBench | undefined;

beforeAll(async () => {
  source = mkdtempSync(join(tmpdir(), 'wherry-source-'));
  writeFileSync(join(source, 'file.txt'), 'content');
  outside = await openOutside({ near, addresses: [internet, ...privates, ...clouds] });
  host = createServer(socket => socket.end('hello\n'));
  await new Promise<void>(resolve => host.listen(0, '0.0.0.0', resolve));
  const address = host.address();
  hostPort = typeof address === 'object' && address ? address.port : 0;
});
afterEach(async () => {
  const data = bench?.paths.data;
  await bench?.close();
  bench = undefined;
  if (data !== undefined) expect(await leftovers(data)).toEqual([]);
});
afterAll(async () => {
  host.close();
  await outside.close();
  rmSync(source, { recursive: true, force: true });
});

/** Which of `HOST:PORT` and `HOST:PORT/udp` answer a build, all asked at once; `gateway` is the way out. What else it shows of its network. */
async function reached(
  network: BuildNetwork,
  asked: readonly string[],
  allowHosts?: string,
): Promise<{ answers: readonly string[]; links: string; gateway: string; output: readonly string[] }> {
  const gateway = `$(awk '$2 == "00000000" { print $3 }' /proc/net/route | sed -E 's/(..)(..)(..)(..)/0x\\4 0x\\3 0x\\2 0x\\1/' | xargs -r printf '%d.%d.%d.%d')`;
  const ask = `ask() { timeout 3 bash -c 'exec 3<> "/dev/$2/$0/$1" && { [[ $2 == tcp ]] || echo anybody >&3; } && [[ $(head -c 6 <&3) == hello ]]' "$2" "$3" "$4" 2> /dev/null && echo "answer $1"; true; }`;
  const lines = asked.map(each => {
    const [name = '', port = '', protocol = 'tcp'] = each.split(/[:/]/);
    return `ask ${each} "${name === 'gateway' ? gateway : name}" ${port} ${protocol} &`;
  });
  bench = await openShellBench(
    {
      a: {
        build: [
          ask,
          ...lines,
          'wait; echo links $(ls /sys/class/net)',
          `echo "gateway ${gateway}"`,
          web,
        ].join('\n'),
      },
    },
    allowHosts === undefined ? {} : { allowHosts },
  );
  const { output } = await bench.build(source, { limits: { network } });
  const after = (word: string) =>
    output.flatMap(line => (line.startsWith(word) ? [line.slice(word.length)] : []));
  return {
    answers: after('answer ').sort(),
    links: after('links ').join(),
    gateway: after('gateway ').join(),
    output,
  };
}

describe('a build', () => {
  const at = (port: number, ...hosts: readonly string[]) => hosts.map(name => `${name}:${port}`);
  const everything = () => [
    ...at(8080, internet, ...privates, ...clouds),
    ...at(80, ...clouds),
    ...clouds.map(host => `${host}:53/udp`),
    ...at(hostPort, 'gateway', near, '127.0.0.1'),
  ];

  it('with all of the Internet reaches nothing private, of metadata or of the host', async () => {
    const { answers, links, gateway } = await reached('all', everything());
    expect(answers).toEqual([`${internet}:8080`]);
    expect(links.split(' ').sort()).toEqual(['eth0', 'lo']);
    // Else its silence would prove nothing.
    expect(gateway).toMatch(/^10\.\d+\.0\.1$/);
  });

  it('with all of the Internet reaches what the operator named, at that port', async () => {
    const [lan = ''] = privates;
    const { answers } = await reached(
      'all',
      [...everything(), ...at(8081, internet, lan)],
      `${lan}:8080, ${metadata}:8080, ${near}:${hostPort}`,
    );
    expect(answers).toEqual([...at(8080, lan, internet), `${internet}:8081`].sort());
  });

  it('with registries reaches what the operator named and nothing else', async () => {
    const [lan = ''] = privates;
    const { answers, output } = await reached(
      'registries',
      [...everything(), ...at(8081, internet, lan)],
      `${internet}:8080 ${lan}:8081 ${metadata}:8080 ${near}:${hostPort}`,
    );
    expect(answers).toEqual([`${internet}:8080`, `${lan}:8081`].sort());
    expect(output.join('\n')).not.toContain('nothing is in reach');
  });

  it('with registries, of which there are none, reaches nothing and is told so', async () => {
    const { answers, output } = await reached('registries', everything());
    expect(answers).toEqual([]);
    expect(output.join('\n')).toContain('this host has set none: nothing is in reach');
  });

  const nameServers = [internet, ...privates].flatMap(host => [`${host}:53`, `${host}:53/udp`]);

  it('with all of the Internet reaches name servers there, and none inside the network', async () => {
    const { answers } = await reached('all', nameServers);
    expect(answers).toEqual([`${internet}:53`, `${internet}:53/udp`]);
  });

  it('with registries reaches no name server, not even on a host that it may reach', async () => {
    const { answers } = await reached('registries', [...nameServers, `${internet}:8080`], `${internet}:8080`);
    expect(answers).toEqual([`${internet}:8080`]);
  });

  it('without a network has loopback alone', async () => {
    const { answers, links } = await reached('none', everything(), `${internet}:8080`);
    expect(answers).toEqual([]);
    expect(links).toBe('lo');
  });
});
