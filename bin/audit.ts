// Judges `npm audit --omit=dev --json` on its standard input. Exit 0: no known weakness; 1: there are; 75: nobody answered.
import { text } from 'node:stream/consumers';
import { judgeAudit } from './audit-report.ts';

const { exitCode, lines } = judgeAudit(await text(process.stdin));
for (const line of lines) console.log(line);
process.exitCode = exitCode;
