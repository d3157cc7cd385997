import { z } from 'zod';
import { WherryError } from '../../domain/errors.ts';

// The image configuration that Docker and OCI tools write (OCI image-spec, config.md); only what is used of it.

const names = z.record(z.string(), z.unknown()).nullish();
/** At most a day. */
const duration = z.number().min(0).max(86_400e9).nullish();
const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

const schema = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  config: z
    .looseObject({
      User: z.string().nullish(),
      ExposedPorts: names,
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      WorkingDir: z.string().nullish(),
      StopSignal: z.string().nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      /** Times in nanoseconds. */
      Healthcheck: z
        .looseObject({
          Test: z.array(z.string()).nullish(),
          Interval: duration,
          Timeout: duration,
          StartPeriod: duration,
          Retries: z.number().int().min(0).max(1000).nullish(),
        })
        .nullish(),
      Shell: z.array(z.string()).nullish(),
      Volumes: names,
    })
    .nullish(),
  rootfs: z.looseObject({ diff_ids: z.array(digest).max(500) }),
});

export type OciConfig = z.infer<typeof schema>;

const architectures: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Reads the configuration of an image that this host can run.
 * @throws invalid when it is none, or one for another processor or system
 */
export function parseConfig(text: string, name: string): OciConfig {
  const parsed = schema.safeParse(parseObject(text, name));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new WherryError(
      'invalid',
      `${name} has a configuration that cannot be read: ${issue?.path.join('.')}: ${issue?.message}. Make it again.`,
    );
  }
  const { os, architecture } = parsed.data;
  const own = hostArchitecture();
  if (os !== 'linux' || architecture !== own)
    throw new WherryError(
      'invalid',
      `${name} is for ${os}/${architecture}; this host runs linux/${own}. Build it for that platform.`,
    );
  return parsed.data;
}

export function hostArchitecture(): string {
  return architectures[process.arch] ?? process.arch;
}

/** @throws invalid when it is no JSON */
export function parseObject(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new WherryError('invalid', `${name} holds JSON that cannot be read. Make it again.`, { cause });
  }
}
