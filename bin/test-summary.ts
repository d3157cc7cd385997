// Sums vitest's JSON reports: `test-summary.ts FOLDER FAILED_STAGES`. Exit 1 unless everything passed.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
};

const [folder = '.', failedStages = '0'] = process.argv.slice(2);
const reports = readdirSync(folder).map(
  name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report,
);
const sum = (key: keyof Report) => reports.reduce((total, report) => total + report[key], 0);

const passed = sum('numPassedTests');
// A stage can fail without a failed test: types, lint, a time limit, a file that does not load.
const failed = Math.max(sum('numFailedTests'), Number(failedStages));
const skipped = sum('numPendingTests') + sum('numTodoTests');
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
