import { z } from 'zod';
import { type CronTask, cronTask, scheduleFault } from '../domain/cron-task.ts';
import { quoteForPeople } from '../domain/names.ts';

/** `cron` of an app.json, as dokku has it. */
export const cronSchema = z
  .array(
    z.looseObject({
      command: z.string().trim().min(1, 'must not be empty').max(4096),
      schedule: z
        .string()
        .trim()
        .superRefine((schedule, context) => {
          const fault = scheduleFault(schedule);
          if (fault !== undefined) context.addIssue(`${quoteForPeople(schedule)} ${fault}`);
        }),
      concurrency_policy: z.enum(['allow', 'forbid', 'replace']).default('allow'),
    }),
  )
  .max(100)
  .superRefine((entries, context) => {
    const seen = new Set<string>();
    for (const { schedule, command } of entries) {
      const same = `${schedule}\0${command}`;
      if (seen.has(same))
        context.addIssue(`has ${quoteForPeople(command)} at ${quoteForPeople(schedule)} twice`);
      seen.add(same);
    }
  });

export function readCron(entries: z.infer<typeof cronSchema>): readonly CronTask[] {
  return entries.map(({ command, schedule, concurrency_policy }) =>
    cronTask({ command, schedule, concurrency: concurrency_policy }),
  );
}
