import { probe } from '../../support/apps.ts';
import { pullThePlug } from '../../support/reboot.ts';
import { until } from '../../support/until.ts';
import type { Wherry } from '../../support/wherry.ts';
import type { Asked, Figure } from './figure.ts';

/** All that runs is taken away as by a power cut: from the daemon's start until every app answers. */
export const reboot: Figure = { size: 30, counts: 'apps', measure };

async function measure(wherry: Wherry, { size }: Asked) {
  const apps = Array.from({ length: size }, (_, at) => `app${at}`);
  for (const app of apps) {
    const pushed = await (await wherry.repository(app, { from: probe })).push();
    if (pushed.code !== 0) throw new Error(pushed.output);
  }
  await wherry.kill();
  await pullThePlug(wherry.data);
  const begun = performance.now();
  await wherry.start();
  const ready = (performance.now() - begun) / 1000;
  const times = await Promise.all(
    apps.map(async app => {
      const answers = async () => (await wherry.get(app).catch(() => undefined))?.status === 200;
      await until(`${app} to answer`, answers, { timeout: 180_000, every: 100 });
      return (performance.now() - begun) / 1000;
    }),
  );
  return {
    wrongs: [],
    rows: [
      {
        what: `${size} apps after a reboot: all answer`,
        value: `${Math.max(...times).toFixed(1)} s`,
        aim: '60 s',
      },
      { what: 'the first answers', value: `${Math.min(...times).toFixed(1)} s` },
      { what: 'the daemon is ready', value: `${ready.toFixed(1)} s` },
    ],
    metrics: { reboot_s: Math.max(...times), reboot_first_s: Math.min(...times) },
  };
}
