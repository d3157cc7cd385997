import { about, type Finding } from './finding.ts';
import type { Host } from './host.ts';

const oldest = { kernel: [5, 4], node: [20, 19] } as const;
const { ok, warn, fail } = about('kernel');

export function checkKernel(host: Host): Finding[] {
  const systems = host.read('/proc/filesystems') ?? '';
  const hasOverlay = /\toverlay$/m.test(systems) || host.read('/proc/modules')?.includes('overlay ') === true;
  return [
    isOlder(host.kernel, oldest.kernel)
      ? warn(`Linux ${host.kernel} is older than what Wherry is tested with`, 'Use Linux 5.4 or newer.')
      : ok(`Linux ${host.kernel}`),
    ...(hasOverlay
      ? []
      : [
          fail(
            'The kernel has no overlay file system, which containers are put together with',
            'Load it: modprobe overlay. In a container of a provider, ask for a virtual machine instead.',
          ),
        ]),
    isOlder(host.node, oldest.node)
      ? fail(`Node.js ${host.node} is too old`, 'Install Node.js 20.19 or newer.')
      : ok(`Node.js ${host.node}`),
    ...(host.uid === 0
      ? []
      : [warn('This is not run as root, so that not everything can be seen', 'Run it with sudo.')]),
  ];
}

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [, first = '0', second = '0'] = /(\d+)\.(\d+)/.exec(version) ?? [];
  return Number(first) < major || (Number(first) === major && Number(second) < minor);
}
