// Shows the main job on real input, each step with its time: real git, ssh, npm packages, containers. `--keep` leaves it running.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Repository } from '../test/support/git.ts';
import { ask } from '../test/support/http.ts';
import { memoryLimitInKernel } from '../test/support/kernel.ts';
import { leftovers } from '../test/support/leftovers.ts';
import type { Run } from '../test/support/run.ts';
import { startTraffic } from '../test/support/traffic.ts';
import { sleep, until } from '../test/support/until.ts';
import { createWherry, type Wherry } from '../test/support/wherry.ts';

const app = 'hello';
const fixture = new URL('../test/fixtures/apps/express', import.meta.url).pathname;
const mib = 2 ** 20;

type Stage = { readonly wherry: Wherry; readonly repository: Repository };

/** The story: what is shown, and how it is done. A step that does not hold throws. */
const steps: readonly (readonly [string, (stage: Stage) => Promise<string>])[] = [
  ['Register an SSH key', registerKey],
  ['git push an Express app with npm dependencies', pushFirst],
  ['Open it by its domain', open],
  ['Change one line, push again', pushChange],
  ['Scale to three instances', scale],
  ['Give it a domain of its own', setDomain],
  ['Lower its memory limit while it runs', lowerLimit],
  ['Let it take more memory than that', exceedMemory],
  ['Roll back to the first version', rollback],
  ['kill -9 the daemon while visitors are served', killDaemon],
];

async function registerKey({ wherry }: Stage): Promise<string> {
  await wherry.registerKey('quickstart');
  return holds(await wherry.ssh('ssh-keys:list'), /quickstart/).stdout.trim();
}

async function pushFirst({ repository }: Stage): Promise<string> {
  return lastLines(holds(await repository.push(), /main -> main/).stderr);
}

async function open({ wherry }: Stage): Promise<string> {
  const { text } = await wherry.get(app);
  expect(text.includes('version one'), `the app answered ${text}`);
  return `http://${wherry.hostOf(app)}:${wherry.httpPort}/ says: ${text.trim()}`;
}

async function pushChange({ wherry, repository }: Stage): Promise<string> {
  const server = readFileSync(join(repository.dir, 'server.js'), 'utf8');
  repository.write({ 'server.js': server.replace('version one', 'version two') });
  await repository.commit('Say version two');
  const begun = performance.now();
  holds(await repository.push(), /main -> main/);
  const { text } = await wherry.get(app);
  expect(text.includes('version two'), `the app still answers ${text}`);
  return `live ${Math.round(performance.now() - begun)} ms after git push: ${text.trim()}`;
}

async function scale({ wherry }: Stage): Promise<string> {
  holds(await wherry.ssh('ps:scale', app, 'web=3'));
  const answering = await until('three instances to answer', async () => {
    const answers = await Promise.all(Array.from({ length: 24 }, () => wherry.get(app, '/whoami')));
    const dynos = new Set(answers.map(answer => JSON.parse(answer.text).dyno as string));
    return dynos.size === 3 && [...dynos].sort();
  });
  return `answering: ${answering.join(', ')}`;
}

async function setDomain({ wherry }: Stage): Promise<string> {
  holds(await wherry.ssh('domains:add', app, 'www.example.org'));
  const { status, text } = await ask({ port: wherry.httpPort, host: 'www.example.org' });
  expect(status === 200, `www.example.org answered ${status}: ${text}`);
  return `www.example.org says: ${text.trim()}`;
}

async function lowerLimit({ wherry }: Stage): Promise<string> {
  holds(await wherry.ssh('ps:scale', app, 'web=1'));
  const before = await until('the two others to be gone', () => {
    const limits = memoryLimitInKernel(wherry.data);
    return limits.length === 1 && limits;
  });
  const { pid } = JSON.parse((await wherry.get(app, '/whoami')).text);
  holds(await wherry.ssh('resource:limit', '--memory', '128m', app));
  const after = await until('the kernel to have the new limit', () => {
    const limits = memoryLimitInKernel(wherry.data);
    return limits.length === 1 && limits[0] === 128 * mib && limits;
  });
  expect(JSON.parse((await wherry.get(app, '/whoami')).text).pid === pid, 'the app was restarted');
  return `in the kernel: ${before.map(inMib).join(', ')} before, ${after.map(inMib).join(', ')} now; nothing restarted`;
}

async function exceedMemory({ wherry }: Stage): Promise<string> {
  const fate = await wherry.get(app, '/eat?mb=400').then(
    answer => `${answer.status}`,
    error => String(error),
  );
  expect(fate !== '200', 'the app took 400 MB under a limit of 128');
  const told = await until('the kill to be explained', async () =>
    (await wherry.ssh('events', app)).stdout
      .split('\n')
      .find(line => /memory/i.test(line) && /128/.test(line)),
  );
  const log = holds(await wherry.ssh('logs', app, '-n', '100'), /memory/i).stdout;
  await until('the app to be back', async () => (await wherry.get(app)).status === 200);
  expect(/memory/i.test(log), 'the log does not tell of the kill');
  return `${told.trim()}\nand it is back: ${(await wherry.get(app)).text.trim()}`;
}

async function rollback({ wherry }: Stage): Promise<string> {
  const releases = holds(await wherry.ssh('releases', app)).stdout;
  const begun = performance.now();
  holds(await wherry.ssh('rollback', app, 'v1'));
  const { text } = await wherry.get(app);
  expect(text.includes('version one'), `after the rollback it answers ${text}`);
  return `${releases.trimEnd()}\nback in ${Math.round(performance.now() - begun)} ms: ${text.trim()}`;
}

async function killDaemon({ wherry }: Stage): Promise<string> {
  const traffic = startTraffic({ port: wherry.httpPort, host: wherry.hostOf(app) });
  await until('traffic', () => traffic.answered() > 50);
  await wherry.kill();
  const atKill = traffic.answered();
  await until('requests served without a daemon', () => traffic.answered() > atKill + 100);
  await wherry.start();
  const atStart = traffic.answered();
  await until('requests served after its return', () => traffic.answered() > atStart + 100);
  const { sent, failures } = await traffic.end();
  expect(failures.length === 0, `${failures.length} of ${sent} requests failed: ${failures[0]}`);
  holds(await wherry.ssh('ps:report', app), /running/i);
  return `${sent} requests, none failed`;
}

async function cleanUp(wherry: Wherry): Promise<string> {
  await wherry.stop();
  const left = await until(
    'nothing to be left',
    async () => {
      const found = await leftovers(wherry.data);
      return found.length === 0 && found;
    },
    { timeout: 5000 },
  ).catch(() => leftovers(wherry.data));
  expect(left.length === 0, `this was left behind:\n${left.join('\n')}`);
  return 'no mount, namespace, cgroup, bridge, nft table or process is left';
}

async function main(): Promise<void> {
  const wherry = await createWherry();
  const interrupted = cleanUpOnSignals(wherry);
  try {
    await tell(wherry);
    if (process.argv.includes('--keep')) return explainKept(wherry);
    await show('Clean up', () => cleanUp(wherry));
    console.log(`=====> Everything held, in ${seconds(performance.now())}`);
  } catch (error) {
    if (interrupted.aborted) return sleep(150_000);
    process.exitCode = 1;
    console.log(` !     ${error instanceof Error ? error.message : String(error)}`);
    console.log(`       The daemon's log ends:\n${wherry.log().split('\n').slice(-25).join('\n')}`);
    await wherry.stop();
  }
}

async function tell(wherry: Wherry): Promise<void> {
  await show('Start a Wherry', async () => {
    await wherry.start();
    return `ssh on 127.0.0.1:${wherry.sshPort}, http on 127.0.0.1:${wherry.httpPort}, data in ${wherry.data}`;
  });
  const stage = { wherry, repository: await wherry.repository(app, { from: fixture }) };
  for (const [title, step] of steps) await show(title, () => step(stage));
}

/** Aborted once the person has had enough; what was started is gone before the process ends. */
function cleanUpOnSignals(wherry: Wherry): AbortSignal {
  const interruption = new AbortController();
  const end = () => {
    if (interruption.signal.aborted) return;
    interruption.abort();
    console.log('\n-----> Interrupted, cleaning up');
    void wherry.stop().finally(() => process.exit(130));
  };
  process.on('SIGINT', end).on('SIGTERM', end);
  return interruption.signal;
}

async function show(title: string, step: () => Promise<string>): Promise<void> {
  console.log(`-----> ${title}`);
  const begun = performance.now();
  const told = await step();
  for (const line of told.split('\n')) console.log(`       ${line}`);
  console.log(`       (${seconds(performance.now() - begun)})`);
}

function explainKept(wherry: Wherry): void {
  const client = `bin/wherry --data ${wherry.data}`;
  console.log(`=====> It keeps running. Use it:
       curl -H 'Host: ${wherry.hostOf(app)}' http://127.0.0.1:${wherry.httpPort}/
       ${client} help
       ${client} logs ${app} -t
       ssh -i ${wherry.key} -p ${wherry.sshPort} wherry@127.0.0.1 apps:list
       End it:
       ${client} down --purge && rm -r ${wherry.scratch}`);
  process.exit(0);
}

/** A command that must have succeeded, and said something. */
function holds(result: Run, says?: RegExp): Run {
  expect(result.code === 0, `a command ended with ${result.code}:\n${result.output}`);
  if (says) expect(says.test(result.output), `${says} is missing in:\n${result.output}`);
  return result;
}

function expect(held: boolean, otherwise: string): void {
  if (!held) throw new Error(`This step did not hold: ${otherwise}`);
}

const lastLines = (text: string) => text.trimEnd().split('\n').slice(-12).join('\n');
const inMib = (bytes: number) => `${bytes / mib} MiB`;
const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`;

await main();
