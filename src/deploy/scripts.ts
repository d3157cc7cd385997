import type { Doing } from '../deploy.ts';
import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { type Image, launchedBy } from '../domain/image.ts';
import type { ProcessType } from '../domain/names.ts';
import type { Desired, Runtime } from '../runtime/runtime.ts';
import type { Store } from '../store/store.ts';

/** Set once Heroku's postdeploy has run. */
export const firstDeployKey = 'app-json-postdeploy';

type Parts = {
  readonly store: Store;
  readonly runtime: Pick<Runtime, 'runOnce'>;
  /** Writes an event. */
  readonly tell: (app: App, kind: string, message: string) => void;
};

/** Runs what a release wants to have run around its start, each in an instance of its own. */
export function createScripts({ store, runtime, tell }: Parts) {
  const run = async (
    desired: Desired,
    script: Script,
    doing: Doing & { readonly keep?: (written: string) => Promise<void> },
  ): Promise<number> => {
    doing.progress.step(`Running ${script.words}`);
    const { type, argv, launcher } = script;
    return await runtime.runOnce(desired, { ...doing, type: type as ProcessType, argv, launcher });
  };

  const require = async (
    desired: Desired,
    script: Script,
    doing: Parameters<typeof run>[2],
  ): Promise<void> => {
    const status = await run(desired, script, doing);
    if (status === 0) return;
    throw new WherryError(
      'failed',
      `Execution of ${script.task} failed: it exited with status ${status}. The running release stays.`,
    );
  };

  return {
    /** dokku's predeploy, which may still change the image: `keep` is told where it wrote. @throws failed when it does */
    async predeploy(desired: Desired, doing: Doing, keep: (written: string) => Promise<void>): Promise<void> {
      const { predeploy } = desired.image.scripts ?? {};
      if (predeploy === undefined) return;
      const script = scriptOf(desired.image, 'predeploy', 'dokku.predeploy', predeploy);
      await require(desired, script, { ...doing, keep });
    },
    /** release, and Heroku's postdeploy before an app's first start. @throws failed when one of them does */
    async before(desired: Desired, doing: Doing): Promise<void> {
      const { app, image } = desired;
      const { first, release } = image.scripts ?? {};
      const task = image.processes.find(({ type }) => type === 'release');
      if (task)
        await require(desired, {
          ...{ type: 'release', words: 'the release process', task: 'release task' },
          ...{ argv: task.command, launcher: image.entrypoint },
        }, doing);
      else if (release !== undefined)
        await require(desired, scriptOf(image, 'release', 'release', release), doing);
      const scope = `app:${app.id}`;
      const isFirst = !store.releases.live(app) && store.properties.get(scope, firstDeployKey) === undefined;
      if (first === undefined || !isFirst) return;
      await require(desired, scriptOf(image, 'postdeploy', 'postdeploy', first), doing);
      store.properties.set(scope, firstDeployKey, 'done');
    },
    /** dokku's postdeploy. Visitors are served by the release already, so that it fails is told and undoes nothing. */
    async after(desired: Desired, doing: Doing): Promise<void> {
      const { app, image, version } = desired;
      const { postdeploy } = image.scripts ?? {};
      if (postdeploy === undefined) return;
      const script = scriptOf(image, 'postdeploy', 'dokku.postdeploy', postdeploy);
      const status = await run(desired, script, doing).catch(error =>
        error instanceof WherryError ? error.message : 'a fault of the platform',
      );
      if (status === 0) return;
      const how = typeof status === 'string' ? status : `it exited with status ${status}`;
      const message = `v${version} is live, but ${script.words} failed: ${how}`;
      doing.progress.warn(message);
      tell(app, 'script-failed', message);
    },
  };
}

type Script = {
  /** Of the process that it runs as. */
  readonly type: string;
  readonly words: string;
  /** The same in the sentence that says that it failed. */
  readonly task: string;
  readonly argv: readonly string[];
  readonly launcher: readonly string[];
};

function scriptOf(image: Image, type: string, name: string, command: string): Script {
  const launcher = launchedBy(image);
  // What is built here has bash; of an image from elsewhere nothing more is known.
  const shell = launcher.length > 0 ? 'bash' : '/bin/sh';
  const words = `script ${name} of app.json`;
  return { type, words, task: words, argv: [shell, '-c', command], launcher };
}
