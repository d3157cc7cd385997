// A process of its own that builds an app of many files, as a daemon does that has built nothing before: `many-files.ts SOURCE`. It
// sends its parent the megabytes that it had before and the most that it had meanwhile, by the kernel's count.
import { readFileSync, writeFileSync } from 'node:fs';
import { parseAppName } from '../../../src/domain/names.ts';
import { openBench } from '../../build/support/bench.ts';
import { note } from '../report.ts';

const [source = ''] = process.argv.slice(2);
const bench = await openBench();
try {
  await bench.builder.prepare({ header: note, step: note, detail: note, warn: note, raw: note });
  let before = 0;
  // From when the files are there: in a push git writes them.
  const change = () => {
    writeFileSync('/proc/self/clear_refs', '5');
    before = megabytes('VmRSS');
  };
  await bench.build(source, { app: parseAppName('many'), change });
  process.send?.({ before, most: megabytes('VmHWM') });
} finally {
  await bench.close();
}
process.disconnect();

function megabytes(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
}
