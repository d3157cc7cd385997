// An app that scales by itself through a ramp of load, deploys under load, and a platform with many apps and domains:
// `bin/bench scale [seconds of the ramp] [deploys]`.
import { probe } from '../support/apps.ts';
import { openSession } from '../support/ssh-session.ts';
import { mb, ms, note, onFreshWherry, report, runsAsked } from './report.ts';
import { deploysUnderLoad } from './support/deploys.ts';
import { controlOf, edgeOf, lookUpTime } from './support/many-routes.ts';
import { ramp } from './support/ramp.ts';

const size = { apps: 1000, domains: 10_000 };
const work = 30;
const peak = 500;
const requests = 10_000;

await onFreshWherry(async wherry => {
  const seconds = runsAsked(180);
  const deploys = Number(process.argv[3] ?? 20);
  const repository = await wherry.repository('ramp', { from: probe });
  const pushed = await repository.push();
  if (pushed.code !== 0) throw new Error(pushed.output);
  const session = await openSession(wherry);
  await session.exec('autoscale:set ramp min=0 max=4 target=5 idle=10s awake=0');
  await session.exec('sleep:now ramp --depth deep');
  const target = { port: wherry.httpPort, host: wherry.hostOf('ramp'), path: `/slow?ms=${work}` };
  const climbed = await ramp({ target, session, app: 'ramp', peak, seconds, work });
  note(`${climbed.sent} requests in a ramp of ${seconds} s`);
  await session.exec('autoscale:set ramp min= max= target= idle= awake=');
  const deployed = await deploysUnderLoad(wherry, repository, { deploys, requests });
  note(`${deploys} deploys under ${deployed.sent} requests`);
  for (const failure of deployed.failures.slice(0, 5)) note(failure);
  session.close();
  const control = await controlOf(wherry, size);
  const edge = await edgeOf(size, 10);
  const lookUp = lookUpTime(size);
  report(
    'scale',
    [
      {
        what: `0 to ${peak} to 0 requests/s in ${seconds} s: failed`,
        value: String(climbed.failed),
        aim: '0',
      },
      { what: 'wait for an instance and the edge, p99', value: ms(climbed.waitP99) },
      { what: 'most instances', value: String(climbed.mostInstances) },
      { what: 'times that it grew again after it had shrunk', value: String(climbed.flaps), aim: '0' },
      { what: `${deploys} deploys under load: failed`, value: String(deployed.failures.length), aim: '0' },
      {
        what: `routes of ${size.apps} apps and ${size.domains} domains in use after`,
        value: ms(edge.snapshot),
        aim: '200 ms',
      },
      { what: 'the app of a host is found in', value: `${lookUp.toFixed(2)} us`, aim: '2 us' },
      { what: 'the edge takes', value: mb(edge.memory), aim: '150 MB' },
      { what: 'control takes', value: mb(control), aim: '200 MB' },
    ],
    {
      ramp_failed: climbed.failed,
      ramp_wait_ms_p99: climbed.waitP99,
      ramp_instances: climbed.mostInstances,
      ramp_flaps: climbed.flaps,
      deploy_failed: deployed.failures.length,
      snapshot_ms: edge.snapshot,
      lookup_us: lookUp,
      edge_mb: edge.memory,
      control_mb: control,
    },
  );
});
