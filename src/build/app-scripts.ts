import { z } from 'zod';
import type { AppScripts } from '../domain/app-manifest.ts';

const script = z.string().trim().max(16_384, 'is too long').optional();

/** `scripts` of an app.json; those of others, as `test`, are not for a deploy. */
export const scriptsSchema = z.looseObject({
  postdeploy: script,
  release: script,
  dokku: z.looseObject({ predeploy: script, postdeploy: script }).optional(),
});

export function readScripts({ postdeploy, release, dokku }: z.infer<typeof scriptsSchema>): AppScripts {
  return {
    ...(dokku?.predeploy ? { predeploy: dokku.predeploy } : {}),
    ...(release ? { release } : {}),
    ...(postdeploy ? { first: postdeploy } : {}),
    ...(dokku?.postdeploy ? { postdeploy: dokku.postdeploy } : {}),
  };
}
