import { padding, tarHeader } from '../build/layers/tar-header.ts';
import { merged, readableConfig } from './config-owner.ts';
import { defineCommand } from './define.ts';
import { appOrGlobal } from './kinds.ts';

export const bundle = defineCommand({
  name: 'config:bundle',
  summary: 'Print all config variables as a tar archive with a file for each',
  description:
    'A file has the name of its variable and holds its value, nothing added. What is write-only is left out.',
  examples: ['config:bundle blog', 'config:bundle --merged blog', 'config:bundle --global'],
  args: { app: appOrGlobal },
  flags: { merged },
  access: { app: 'deploy' },
  effect: 'read',
  verbatim: true,
  run: readableConfig,
  text: values => [tarOf(values).toString('utf8')],
});

/** Text altogether: values are, and headers are ASCII. */
function tarOf(values: Readonly<Record<string, string>>): Buffer {
  const files = Object.entries(values).flatMap(([path, value]) => {
    const content = Buffer.from(value);
    const size = content.length;
    return [
      tarHeader({ path, type: 'file', mode: 0o600, uid: 0, gid: 0, size }),
      content,
      padding(content.length),
    ];
  });
  return Buffer.concat([...files, Buffer.alloc(1024)]);
}
