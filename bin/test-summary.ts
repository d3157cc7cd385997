// Sums vitest's JSON reports: `test-summary.ts FOLDER FAILED_STAGES`. Exit 1 unless everything passed.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

type Report = {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
};

const [folder = '.', failedStages = '0'] = process.argv.slice(2);
const reports = readdirSync(folder).map(
  name => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report,
);
const sum = (key: 'numPassedTests' | 'numFailedTests' | 'numPendingTests' | 'numTodoTests') =>
  reports.reduce((total, report) => total + report[key], 0);

// Once more at the end, where a reader of a cut log finds them.
for (const { name, status, message, assertionResults } of reports.flatMap(report => report.testResults)) {
  const file = relative(process.cwd(), name);
  const failures = assertionResults.filter(each => each.status === 'failed');
  for (const { fullName, failureMessages } of failures)
    console.log(` !     ${file}: ${fullName}\n       ${beginning(failureMessages.join('\n'))}`);
  if (status === 'failed' && failures.length === 0) console.log(` !     ${file}: ${beginning(message)}`);
}

const passed = sum('numPassedTests');
// A stage can fail without a failed test: types, lint, a time limit, a file that does not load.
const failed = Math.max(sum('numFailedTests'), Number(failedStages));
const skipped = sum('numPendingTests') + sum('numTodoTests');
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;

function beginning(text: string): string {
  return text.split('\n').slice(0, 5).join('\n       ').slice(0, 1000);
}
