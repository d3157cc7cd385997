import { rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { isDeepStrictEqual } from 'node:util';
import type { Builder, LoadRequest } from './build/builder.ts';
import type { Builds, Watched } from './build/builds.ts';
import type { DiskRoom, Ways } from './build/disk-room.ts';
import { createMask, maskProgress } from './build/mask.ts';
import { applyAppEnv } from './deploy/app-env.ts';
import { deployArchive, type SentArchive } from './deploy/archive.ts';
import { type Asked, buildLimitsFor, requestFor, secretsFor } from './deploy/build-request.ts';
import { checkSettingsOf } from './deploy/check-lists.ts';
import { copySettings } from './deploy/clone.ts';
import { countsFor, rememberFormation } from './deploy/counts.ts';
import { requireUnlocked } from './deploy/deploy-lock.ts';
import { beginDestroy, removeFromStore } from './deploy/destroy.ts';
import { generationOf } from './deploy/generation.ts';
import { parallelOf } from './deploy/parallel.ts';
import { finishRename, renameInStore } from './deploy/rename.ts';
import { isolationOf, limitsOf, runOptionsOf } from './deploy/run-options.ts';
import { createRunning, type Running } from './deploy/running.ts';
import { createScripts } from './deploy/scripts.ts';
import { siteOf } from './deploy/site.ts';
import { rememberSource, withOrigin } from './deploy/source.ts';
import { forgetSourceImage, sourceImageOf } from './deploy/source-image.ts';
import { stoppedTypes, withoutStopped } from './deploy/stopped-types.ts';
import { type Synced, type SyncRequest, syncApp } from './deploy/sync.ts';
import type { App } from './domain/app.ts';
import { archiveLimitsOf } from './domain/archive-limits.ts';
import { WherryError } from './domain/errors.ts';
import { gitSettings, revisionOf } from './domain/git-settings.ts';
import { defaultDomains, globalDomainsKey, readGlobalDomains } from './domain/global-domains.ts';
import type { Image } from './domain/image.ts';
import { type ImageRef, parseImageRef } from './domain/image-ref.ts';
import type { AppName, Domain, ProcessType } from './domain/names.ts';
import { mappedPort, portsKey } from './domain/port-map.ts';
import type { Actor, Progress, Push, Source } from './domain/push.ts';
import type { Release } from './domain/release.ts';
import { promisedMemory, readReservations, reservationsKey } from './domain/reservation.ts';
import type { SleepDepth } from './domain/scaling.ts';
import { psKey, readUpkeep } from './domain/upkeep.ts';
import type { Hooks } from './hooks.ts';
import type { Receiver } from './receive/receiver.ts';
import { createReleases } from './release/releases.ts';
import type { DeployTimes, Desired, Runtime } from './runtime/runtime.ts';
import { everyType } from './store/limits.ts';
import type { Store } from './store/store.ts';
import type { Clock } from './system/clock.ts';
import { faultPoint } from './system/fault.ts';
import type { Log } from './system/log.ts';

/** Releases of each app that stay when the disk has no room: the live one and the one to go back to. */
const fewestReleases = 2;

export type Doing = { readonly actor: Actor; readonly progress: Progress; readonly signal?: AbortSignal };

/** The pipeline, and every way to change what runs. Callers hold the app's lock (dispatch does). */
export interface Deployer extends Running {
  push(push: Push, source: Source, doing: Doing): Promise<Release>;
  /** Builds the last pushed commit again, or pulls again what was deployed from a registry. @throws not-found when there is neither */
  rebuild(app: App, how: { explain: boolean }, doing: Doing): Promise<Release>;
  /** Deploys an image archive, without git. @throws invalid when it is none */
  loadImage(app: App, sent: { name: string; archive: Readable }, doing: Doing): Promise<Release>;
  /** Deploys an image of a registry, without git; the live release where it and the config are unchanged, unless `force`. */
  pullImage(app: App, wanted: { ref: ImageRef; force: boolean }, doing: Doing): Promise<Release>;
  /** Files of an archive as a commit on the deploy branch, deployed as a push; undefined when they run already and not `again`. @throws invalid */
  fromArchive(app: App, sent: SentArchive, doing: Doing): Promise<Release | undefined>;
  /** A commit of another repository as the head of the app's branch, deployed where that is asked for. @throws as the fetcher and a push */
  sync(app: App, wanted: SyncRequest, doing: Doing): Promise<Synced>;
  /** Forgets releases that the apps need not keep, and deletes what nothing holds then. */
  cleanup(apps: readonly App[]): Promise<void>;
  /** Forgets what builds of the app keep for the next one. */
  purgeCache(app: App): Promise<void>;
  /** What the last pushed commit would be built with, in order. @throws not-found when nothing was pushed, build-failed when nothing fits */
  detect(app: App, branch: string | undefined, doing: Doing): Promise<readonly string[]>;
  /** After config changed: a release with the same image, deployed; nothing when there is no live release or the app is stopped. */
  releaseConfig(app: App, description: string, doing: Doing): Promise<Release | undefined>;
  /** The live release on the newest generation of its stack, nothing built; undefined where it is on it. @throws conflict when it cannot be */
  rebase(app: App, how: { force: boolean }, doing: Doing): Promise<Release | undefined>;
  /** Image, config and processes of an older release as a new one; the one before the live one unless told. */
  rollback(app: App, version: number | undefined, doing: Doing): Promise<Release>;
  /** After domains changed: a new snapshot for the edge. */
  applyRoutes(): Promise<void>;
  create(name: AppName, actor: Actor): App;
  /** An app with the settings and the repository of another, and its live release unless told not to deploy. @throws conflict when the name is taken */
  clone(app: App, name: AppName, how: { deploy: boolean }, doing: Doing): Promise<App>;
  /** Another name for all that is the app's; what runs is replaced, or stopped when told not to deploy. @throws conflict when the name or its domain is taken */
  rename(app: App, name: AppName, how: { deploy: boolean }, doing: Doing): Promise<App>;
  /** After a crash, when everything runs again: replaces what still has the old name. The lock is held. */
  settleRename(app: App, from: AppName, doing: Doing): Promise<void>;
  /** Goes on with it after a crash, too: what was begun is not undone. */
  destroy(app: App, doing: Doing): Promise<void>;
  /** Counts as they would run now: the formation over the live release's processes. */
  counts(app: App): ReadonlyMap<ProcessType, number>;
  /** What should be running of an app; nothing before its first deploy. */
  desired(app: App): Desired | undefined;
}

type How = Pick<LoadRequest, 'app' | 'limits' | 'progress' | 'signal'>;
type Brought = {
  readonly image: Image;
  readonly description: string;
  readonly sourceImage?: string;
  /** The live release, where deploying again would change nothing. */
  readonly unchanged?: Release;
};

export type DeployerOptions = {
  readonly store: Store;
  readonly builder: Builder;
  readonly builds: Builds;
  readonly room: DiskRoom;
  readonly receiver: Receiver;
  readonly runtime: Runtime;
  /** Publishes domains and targets to the edge. */
  readonly publishRoutes: () => Promise<void>;
  /** Gives what lies on the host the app's new name, in one go. */
  readonly moveFolders: (from: AppName, to: AppName) => void;
  /** Takes what the edge has logged along, once it knows the new name. */
  readonly moveAccessLog: (from: AppName, to: AppName) => void;
  readonly forgetRoute: (app: AppName) => void;
  /** An app that is gone says nothing more. */
  readonly forgetLease: (app: App) => Promise<void>;
  /** `http://app.example.org:8080` for an app, for the deploy's last lines. */
  readonly urls: (app: App) => readonly string[];
  readonly domain: Domain;
  /** Whoever takes part in it. */
  readonly hooks: Hooks;
  readonly clock: Clock;
  readonly log: Log;
};

/** The pipeline: source -> image -> release -> instances -> targets; the stages meet only here. */
export function createDeployer(options: DeployerOptions): Deployer {
  const { store, builder, builds, room, receiver, runtime, hooks, clock, log } = options;
  const releases = createReleases({ store, clock });

  const desiredOf = (app: App, release: Release): Desired =>
    desiredWith(app, {
      version: release.version,
      commit: release.commit,
      image: store.images.get(release.image),
      config: store.releases.config(release),
    });

  const desiredWith = (
    app: App,
    {
      version,
      image,
      config,
      commit,
    }: Pick<Desired, 'version' | 'image' | 'config'> & Pick<Release, 'commit'>,
  ): Desired => {
    const rows = store.limits.rows(app);
    const reserved = readReservations(store.properties.get(`app:${app.id}`, reservationsKey));
    const runOptions = runOptionsOf(store, app);
    const limits = limitsOf(rows, runOptions);
    const port = mappedPort(store.properties.list(`app:${app.id}`, portsKey));
    return {
      app,
      version,
      generation: generationOf(store, app),
      image,
      config,
      revision: revisionOf(store.properties.resolve(app.id, gitSettings['rev-env-var'].key), commit),
      counts: withoutStopped(countsFor(store, app, image), stoppedTypes(store.properties, app)),
      limits,
      promised: type => promisedMemory(reserved, type, everyType, limits(type).memory),
      options: runOptions,
      ...isolationOf(store, app),
      quota: store.limits.quota(app),
      parallel: () => parallelOf(store, app, image),
      checks: () => checkSettingsOf(store, app),
      site: () => siteOf(store, app),
      upkeep: () =>
        readUpkeep(key => {
          const asked = key === psKey('restart-policy') ? runOptions('web').restart : undefined;
          return store.properties.get(`app:${app.id}`, key) ?? asked ?? store.properties.get('global', key);
        }),
      ...(port === undefined ? {} : { port }),
      ...sleepOf(app),
    };
  };

  /** What default domains of apps are under. */
  const domainsUnder = () =>
    readGlobalDomains(store.properties.get('global', globalDomainsKey), options.domain);

  const addDefaultDomains = (app: App): void => {
    for (const domain of defaultDomains(app.name, domainsUnder())) store.domains.add(app, domain);
  };

  const sleepOf = (app: App): { asleep?: SleepDepth } => {
    const asleep = store.properties.get(`app:${app.id}`, 'asleep') as SleepDepth | undefined;
    return asleep ? { asleep } : {};
  };

  const live = (app: App): Release => {
    const release = store.releases.live(app);
    if (!release)
      throw new WherryError('failed', `App ${app.name} has not been deployed`, {
        hint: `git push wherry@HOST:${app.name} main`,
      });
    return release;
  };

  const tell = (app: App, kind: string, message: string, actor?: Actor) =>
    store.events.add({ at: clock.now(), app: app.name, kind, message, actor: actor?.name });

  const scripts = createScripts({ store, runtime, tell });

  /** Release phase, instances, switch; the release is live exactly when the switch is next. */
  const rollOut = async (app: App, release: Release, kind: string, doing: Doing): Promise<DeployTimes> => {
    const running = { ...app, stopped: false };
    const desired = desiredOf(running, release);
    try {
      await faultPoint('release:stored');
      doing.progress.step(`Releasing ${app.name} v${release.version}`);
      // What is renamed already is not undone by a veto.
      if (kind !== 'rename') await hooks.ask('before-deploy', releasing(app, release), doing.signal);
      if (kind === 'deploy') await scripts.before(desired, doing);
      await faultPoint('release:ran');
      const times = await runtime.deploy(desired, {
        ...doing,
        commit: () =>
          store.transaction(() => {
            releases.promote(release);
            rememberFormation(store, app, desired.image);
            store.apps.setStopped(app, false);
          }),
      });
      const message = `v${release.version} is live: ${release.description}`;
      tell(app, kind, message, doing.actor);
      hooks.tell('after-deploy', {
        ...releasing(app, release),
        ...{ at: clock.now().toISOString(), message, urls: options.urls(app) },
      });
      if (kind === 'deploy') await scripts.after(desired, doing);
      return times;
    } catch (error) {
      releases.fail(release);
      const why = error instanceof WherryError ? error.message : 'a fault of the platform';
      tell(app, 'deploy-failed', `v${release.version} failed: ${why}`, doing.actor);
      throw error;
    }
  };

  /** Work that is recorded; plugins hear when it fails. */
  const record: Builds['record'] = async (recorded, work) => {
    try {
      return await builds.record(recorded, work);
    } catch (error) {
      const { app, commit, actor } = recorded;
      const at = clock.now().toISOString();
      hooks.tell('deploy-failed', {
        ...{ app: app.name, commit, at, actor: actor.name },
        message: error instanceof WherryError ? error.message : 'a fault of the platform',
      });
      throw error;
    }
  };

  const announce = (app: App, { plain }: Watched): void => {
    plain.header('Application deployed:');
    for (const url of options.urls(app)) plain.detail(url);
  };

  const prune = (app: App, most?: number): void =>
    releases.prune(
      app,
      runtime.instances(app).map(({ version }) => version),
      most,
    );

  const collectLayers = async (): Promise<void> => {
    store.images.prune();
    await builder.collect(store.images.list());
  };

  const ways: Ways = {
    collect: collectLayers,
    forgetReleases() {
      for (const app of store.apps.list()) prune(app, fewestReleases);
    },
  };

  /** What nothing holds any more, and what the disk has no room for, is deleted behind the caller's back. */
  const tidy = (): void =>
    void collectLayers()
      .then(() => room.tidy(ways))
      .catch(error => log.error({ err: error }, 'deleting what is not needed from the disk failed'));

  const collect = (app: App): void => {
    prune(app);
    tidy();
  };

  const buildLimitsOf = (app: App) => buildLimitsFor(store, app);

  const build = async (app: App, source: Source, how: Asked, doing: Doing): Promise<Image> => {
    doing.progress.step(`Building ${app.name} from ${source.commit.slice(0, 8)}`);
    try {
      requireUnlocked(store.properties, app);
      await room.require(ways);
      const { commit, subject } = source;
      const building = { app: app.name, commit, subject, actor: doing.actor.name };
      await hooks.ask('before-build', building, doing.signal);
      const environment = await hooks.change('build-environment', building, doing.signal);
      const request = requestFor(store, { app, source, how }, doing);
      const image = await builder.build({ ...request, config: { ...environment, ...request.config } });
      hooks.tell('after-build', { ...building, image: image.id });
      return image;
    } catch (error) {
      await rm(source.dir, { recursive: true, force: true });
      // What it put before it failed is of no use.
      tidy();
      throw error;
    }
  };

  /** The last pushed commit of a branch, checked out. */
  const lastPushed = async (app: App, branch = app.deployBranch): Promise<Source> => {
    const commit = branch && (await receiver.head(app.name, branch));
    if (!commit)
      throw new WherryError('not-found', `App ${app.name} has no pushed commit to build. Push one first.`);
    return withOrigin(store.properties, app, await receiver.checkout(app.name, commit));
  };

  const buildAndRollOut = async (app: App, source: Source, how: Asked, doing: Doing): Promise<Release> =>
    await record(
      { app, kind: 'build', commit: source.commit, config: secretsFor(store, app), ...doing },
      async watched => await buildThenRollOut(app, source, how, watched),
    );

  const buildThenRollOut = async (app: App, source: Source, how: Asked, doing: Watched): Promise<Release> => {
    const begun = clock.ticks();
    const image = await build(app, source, how, doing);
    const description = `Deploy ${source.commit.slice(0, 8)} ${source.subject}`.trim();
    const { commit, checkoutMs } = source;
    return await deployImage(app, { image, description, commit, begun, checkoutMs }, doing);
  };

  const nextVersion = (app: App): number => (store.releases.list(app)[0]?.version ?? 0) + 1;

  /** The release that is made once its predeploy has run, with what that wrote. */
  const predeployed = async (
    desired: Desired,
    doing: Doing,
    make: (image: Image) => Release,
  ): Promise<Release> => {
    const { app, image } = desired;
    let made: Release | undefined;
    const signal = doing.signal ?? new AbortController().signal;
    const request = { app: app.name, image, limits: buildLimitsOf(app), signal };
    try {
      await scripts.predeploy(desired, doing, async written => {
        made = await builder.commit({ ...request, written }, make);
      });
    } catch (error) {
      const why = error instanceof WherryError ? error.message : 'a fault of the platform';
      tell(app, 'deploy-failed', `v${desired.version} failed: ${why}`, doing.actor);
      throw error;
    }
    return made ?? make(image);
  };

  /** `begun` is when making the image began, in ticks. */
  const deployImage = async (
    app: App,
    made: Pick<Release, 'description' | 'commit'> & {
      image: Image;
      sourceImage?: string;
      begun: number;
      checkoutMs: number;
    },
    doing: Watched,
  ): Promise<Release> => {
    const { image, description, commit, sourceImage = null, begun, checkoutMs } = made;
    const built = clock.ticks();
    const secrets = applyAppEnv(store, app, { rules: image.envRules ?? {}, progress: doing.progress });
    const config = store.config.merged(app);
    const actor = doing.actor.name;
    const hidden = { ...doing, progress: maskProgress(doing.progress, createMask(secrets)) };
    const make = (whole: Image) =>
      releases.make(app, { image: whole, config, description, actor, commit, sourceImage });
    const release = await predeployed(
      desiredWith(app, { version: nextVersion(app), image, config, commit }),
      hidden,
      make,
    );
    const times = await rollOut(app, release, 'deploy', hidden);
    forgetSourceImage(store, app);
    const total = checkoutMs + clock.ticks() - begun;
    log.info(
      {
        app: app.name,
        release: release.version,
        ms: rounded({ checkout: checkoutMs, build: built - begun, ...times, total }),
      },
      'deployed',
    );
    announce(app, doing);
    collect(app);
    return release;
  };

  const offeredParts = (app: App, fresh: boolean, doing: Doing) => ({
    ...{ store, receiver, builder, limits: buildLimitsOf(app), domain: options.domain, ...doing },
    most: archiveLimitsOf(key => store.properties.resolve(app.id, key)),
    deploy: async (source: Source) => await buildAndRollOut(app, source, { fresh, explain: false }, doing),
    signal: doing.signal ?? new AbortController().signal,
  });

  /** An image that others made, however it comes here. */
  const deployForeign = async (
    app: App,
    doing: Doing,
    bring: (how: How) => Promise<Brought>,
  ): Promise<Release> =>
    await record(
      { app, kind: 'build', commit: null, config: store.config.merged(app), ...doing },
      async watched => {
        const begun = clock.ticks();
        requireUnlocked(store.properties, app);
        await room.require(ways);
        const made = await bring({ app: app.name, limits: buildLimitsOf(app), ...watched }).catch(error => {
          tidy();
          throw error;
        });
        if (made.unchanged) {
          watched.progress.step(`No changes detected: v${made.unchanged.version} is this image already`);
          return made.unchanged;
        }
        return await deployImage(app, { ...made, commit: null, begun, checkoutMs: 0 }, watched);
      },
    );

  const pullImage: Deployer['pullImage'] = async (app, { ref, force }, doing) =>
    await deployForeign(app, doing, async how => {
      how.progress.step(`Pulling ${ref.text} for ${app.name}`);
      const { image, digest } = await builder.pull({ ...how, ref });
      const description = `Deploy image ${ref.text} (${digest.slice(0, 19)})`;
      const before = store.releases.live(app);
      const same =
        before?.sourceImage === ref.text &&
        before.image === image.id &&
        isDeepStrictEqual(store.releases.config(before), store.config.merged(app));
      return { image, description, sourceImage: ref.text, ...(same && !force ? { unchanged: before } : {}) };
    });
  const settleRename: Deployer['settleRename'] = async (app, from, doing) => {
    void runtime
      .leaveGroup(from, () => store.apps.find(from) !== undefined)
      .then(() => finishRename(store, app, from))
      .catch(error =>
        log.info({ err: error, app: app.name, from }, 'the group of the old name is still there'),
      );
    const current = store.releases.live(app);
    if (current && !app.stopped) {
      // A release of its own, so that a crash in the middle cannot mistake the old instances for the new.
      const { commit, sourceImage } = current;
      const image = store.images.get(current.image);
      const config = store.releases.config(current);
      const actor = doing.actor.name;
      const description = `Renamed from ${from}`;
      const release = releases.make(app, { image, config, description, actor, commit, sourceImage });
      await record({ app, kind: 'deploy', commit, config, ...doing }, async watched => {
        await rollOut(app, release, 'rename', watched);
        announce(app, watched);
        return release;
      });
    } else tell(app, 'rename', `Renamed from ${from}`, doing.actor);
    const at = clock.now().toISOString();
    const message = `Renamed from ${from}`;
    hooks.tell('app-renamed', { ...{ app: app.name, from, at, message }, actor: doing.actor.name });
    options.moveAccessLog(from, app.name);
    await faultPoint('rename:replaced');
  };
  const running = createRunning({ store, runtime, clock, desired: desiredOf, live, tell });

  return {
    push: (push, source, doing) =>
      buildAndRollOut(
        store.apps.get(push.app),
        source,
        { fresh: false, explain: push.explain ?? false },
        doing,
      ),
    async rebuild(app, { explain }, doing) {
      const source = sourceImageOf(store, app);
      if (source) return await pullImage(app, { ref: parseImageRef(source), force: true }, doing);
      return await buildAndRollOut(app, await lastPushed(app), { fresh: true, explain }, doing);
    },
    loadImage: async (app, sent, doing) =>
      await deployForeign(app, doing, async how => {
        how.progress.step(`Loading ${sent.name} for ${app.name}`);
        return { image: await builder.load({ ...how, ...sent }), description: `Deploy image ${sent.name}` };
      }),
    pullImage,
    async fromArchive(app, sent, doing) {
      await room.require(ways);
      const release = await deployArchive(app, sent, offeredParts(app, sent.again, doing));
      if (release?.commit)
        rememberSource(store.properties, app, { commit: release.commit, source: sent.name, kind: 'archive' });
      return release;
    },
    async sync(app, wanted, doing) {
      await room.require(ways);
      const synced = await syncApp(app, wanted, offeredParts(app, wanted.build === 'yes', doing));
      const source = `${wanted.url.href}${wanted.ref === undefined ? '' : `#${wanted.ref}`}`;
      rememberSource(store.properties, app, { commit: synced.commit, source, kind: 'git-sync' });
      tell(app, 'git', `Synced ${synced.branch} to ${synced.commit.slice(0, 8)}`, doing.actor);
      return synced;
    },
    detect: async (app, branch, doing) =>
      await builder.detect(
        requestFor(
          store,
          { app, source: await lastPushed(app, branch), how: { fresh: false, explain: false } },
          doing,
        ),
      ),
    async releaseConfig(app, description, doing) {
      const current = store.releases.live(app);
      if (!current) return undefined;
      const config = store.config.merged(app);
      const release = releases.make(app, {
        image: store.images.get(current.image),
        config,
        description,
        actor: doing.actor.name,
        commit: current.commit,
        sourceImage: current.sourceImage,
      });
      if (app.stopped) releases.promote(release);
      else {
        await record({ app, kind: 'deploy', commit: current.commit, config, ...doing }, async watched => {
          await rollOut(app, release, 'config', watched);
          return release;
        });
      }
      collect(app);
      return release;
    },
    async rebase(app, { force }, doing) {
      requireUnlocked(store.properties, app);
      const current = live(app);
      const old = store.images.get(current.image);
      const config = store.releases.config(current);
      const { commit, sourceImage } = current;
      const actor = doing.actor.name;
      const signal = doing.signal ?? new AbortController().signal;
      const base = store.properties.resolve(app.id, 'stack');
      const image = await builder.rebase({ app: app.name, image: old, base, force, ...doing, signal });
      if (image.id === old.id) return undefined;
      const description = `Rebase v${current.version} onto the newest stack`;
      const release = releases.make(app, { image, config, description, actor, commit, sourceImage });
      if (app.stopped) releases.promote(release);
      else {
        await record({ app, kind: 'deploy', commit, config, ...doing }, async watched => {
          await rollOut(app, release, 'rebase', watched);
          return release;
        });
      }
      collect(app);
      return release;
    },
    async rollback(app, version, doing) {
      requireUnlocked(store.properties, app);
      const old = version === undefined ? releases.previous(app) : store.releases.get(app, version);
      if (old.status === 'failed' || old.status === 'pending') {
        throw new WherryError(
          'failed',
          `Release v${old.version} never ran. Choose one that did: "releases ${app.name}".`,
        );
      }
      const config = store.releases.config(old);
      const secretKeys = store.releases.secretKeys(old);
      const release = releases.make(app, {
        image: store.images.get(old.image),
        config,
        secretKeys,
        description: `Rollback to v${old.version}`,
        actor: doing.actor.name,
        commit: old.commit,
        sourceImage: old.sourceImage,
      });
      return await record({ app, kind: 'deploy', commit: old.commit, config, ...doing }, async watched => {
        await rollOut(app, release, 'rollback', watched);
        store.config.restore(app, config, secretKeys);
        announce(app, watched);
        collect(app);
        return release;
      });
    },
    ...running,
    async cleanup(apps) {
      for (const app of apps) prune(app);
      await collectLayers();
      await room.tidy(ways);
    },
    async purgeCache(app) {
      await builder.forget(app.name);
      tidy();
    },
    applyRoutes: options.publishRoutes,
    create(name, actor) {
      const app = store.transaction(() => {
        const made = store.apps.create(name, clock.now());
        addDefaultDomains(made);
        const branch = store.properties.get('global', gitSettings['deploy-branch'].key);
        if (branch === undefined) return made;
        store.apps.setDeployBranch(made, branch);
        return store.apps.get(name);
      });
      tell(app, 'create', 'Created', actor);
      return app;
    },
    async clone(app, name, { deploy }, doing) {
      const made = store.transaction(() => {
        const fresh = store.apps.create(name, clock.now());
        addDefaultDomains(fresh);
        copySettings(store, app, fresh);
        return store.apps.get(name);
      });
      await receiver.copy(app.name, name);
      tell(made, 'create', `Cloned from ${app.name}`, doing.actor);
      await options.publishRoutes();
      const current = store.releases.live(app);
      if (!current || !deploy) return made;
      const { commit, sourceImage } = current;
      const image = store.images.get(current.image);
      const config = store.config.merged(made);
      await record({ app: made, kind: 'deploy', commit, config, ...doing }, async watched => {
        const description = `Clone of ${app.name} v${current.version}`;
        const actor = doing.actor.name;
        const release = releases.make(made, { image, config, description, actor, commit, sourceImage });
        await rollOut(made, release, 'deploy', watched);
        announce(made, watched);
        return release;
      });
      return made;
    },
    async rename(app, name, { deploy }, doing) {
      const runs = !app.stopped && store.releases.live(app) !== undefined;
      const renamed = renameInStore(store, { app, name, under: domainsUnder(), stop: runs && !deploy });
      await faultPoint('rename:stored');
      options.moveFolders(app.name, name);
      // Nothing waits between these: the edge never sees the app under both names, or under none.
      const told = runtime.rename(renamed);
      options.forgetRoute(app.name);
      await Promise.all([options.publishRoutes(), told]);
      await faultPoint('rename:moved');
      if (runs && !deploy) await runtime.stop(renamed);
      await settleRename(renamed, app.name, doing);
      return renamed;
    },
    settleRename,
    async destroy(app, doing) {
      beginDestroy(store, app);
      await faultPoint('destroy:begun');
      await runtime.remove(app);
      await options.forgetLease(app);
      await faultPoint('destroy:stopped');
      await receiver.remove(app.name);
      await builder.forget(app.name);
      builds.forget(app);
      await faultPoint('destroy:emptied');
      removeFromStore(store, app);
      await faultPoint('destroy:removed');
      options.forgetRoute(app.name);
      await options.publishRoutes();
      tidy();
      store.events.add({
        at: clock.now(),
        app: app.name,
        kind: 'destroy',
        message: 'Destroyed',
        actor: doing.actor.name,
      });
    },
    counts(app) {
      const release = store.releases.live(app);
      return release ? countsFor(store, app, store.images.get(release.image)) : store.formation.get(app);
    },
    desired: app => {
      const release = store.releases.live(app);
      return release && desiredOf(app, release);
    },
  };
}

function releasing(app: App, { version, description, commit, actor }: Release) {
  return { app: app.name, version, description, commit, actor };
}

function rounded(times: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(times).map(([part, ms]) => [part, Math.round(ms)]));
}
