// What plugins take part in, as a closed list. A veto hook may forbid what is about to be done, a change hook add to it; whatever
// else happens is only told, after it happened, in the order it happened.

/** What is given to a plugin, the same to code and to programs: plain JSON. */
type Happened = {
  /** Null for what is of no one app. */
  readonly app: string | null;
  /** ISO 8601. */
  readonly at: string;
  /** A sentence for people, without secrets. */
  readonly message: string;
  readonly actor: string | null;
};
type Building = {
  readonly app: string;
  /** 40 hex digits. */
  readonly commit: string;
  /** First line of the commit message. */
  readonly subject: string;
  readonly actor: string;
};
type Releasing = {
  readonly app: string;
  readonly version: number;
  readonly description: string;
  readonly commit: string | null;
  readonly actor: string;
};

/** Every hook with what it is given. */
export type HookEvents = {
  'before-build': Building;
  'build-environment': Building;
  'after-build': Building & { readonly image: string };
  'before-deploy': Releasing;
  'after-deploy': Happened & Releasing & { readonly app: string; readonly urls: readonly string[] };
  'deploy-failed': Happened & { readonly app: string; readonly commit: string | null };
  'app-created': Happened;
  'app-renamed': Happened & { readonly from: string };
  'app-destroyed': Happened;
  scaled: Happened;
  slept: Happened;
  woke: Happened;
  'wake-failed': Happened;
  'out-of-memory': Happened;
  crashed: Happened;
  'certificate-failed': Happened;
  'certificate-expiring': Happened;
  'cron-failed': Happened;
};
export type HookName = keyof HookEvents;

type Hook = { readonly kind: 'veto' | 'change' | 'told'; readonly when: string };

export const hooks = {
  'before-build': { kind: 'veto', when: 'a commit is about to be built' },
  'build-environment': { kind: 'change', when: 'a build is made ready; adds environment variables to it' },
  'after-build': { kind: 'told', when: 'an image was built' },
  'before-deploy': {
    kind: 'veto',
    when: 'a release is about to be rolled out: a deploy, new config, a rollback',
  },
  'after-deploy': { kind: 'told', when: 'a release went live' },
  'deploy-failed': { kind: 'told', when: 'a build or the roll-out of a release failed' },
  'app-created': { kind: 'told', when: 'an app was created or cloned' },
  'app-renamed': { kind: 'told', when: 'an app got another name' },
  'app-destroyed': { kind: 'told', when: 'an app is gone' },
  scaled: { kind: 'told', when: 'the number of instances changed, by hand or by itself' },
  slept: { kind: 'told', when: 'an app was frozen or stopped until a request comes' },
  woke: { kind: 'told', when: 'an app woke up' },
  'wake-failed': { kind: 'told', when: 'an app did not wake up' },
  'out-of-memory': { kind: 'told', when: 'the kernel killed an instance that reached its memory limit' },
  crashed: { kind: 'told', when: 'an instance ended unasked' },
  'certificate-failed': { kind: 'told', when: 'a certificate was not issued' },
  'certificate-expiring': { kind: 'told', when: 'a certificate ends soon' },
  'cron-failed': { kind: 'told', when: 'a cron task failed or could not be started' },
} as const satisfies Record<HookName, Hook>;

type OfKind<Kind extends Hook['kind']> = {
  [Name in HookName]: (typeof hooks)[Name]['kind'] extends Kind ? Name : never;
}[HookName];
export type VetoHook = OfKind<'veto'>;
export type ChangeHook = OfKind<'change'>;
export type ToldHook = OfKind<'told'>;

/** What a plugin may say to each: why not; variables by name; nothing. */
export type HookAnswer<Name extends HookName> = Name extends VetoHook
  ? { readonly veto: string } | undefined
  : Name extends ChangeHook
    ? Readonly<Record<string, string>> | undefined
    : undefined;

/** What the pipeline asks of whoever takes part in it. */
export interface Hooks {
  /** Waits for all who may forbid it. @throws failed when one does, or cannot say */
  ask<Name extends VetoHook>(hook: Name, event: HookEvents[Name], signal?: AbortSignal): Promise<void>;
  /** What all add together; one that fails adds nothing. */
  change<Name extends ChangeHook>(
    hook: Name,
    event: HookEvents[Name],
    signal?: AbortSignal,
  ): Promise<Readonly<Record<string, string>>>;
  /** Returns at once; nobody's failure comes back. */
  tell<Name extends ToldHook>(hook: Name, event: HookEvents[Name]): void;
}

/** Kinds of platform events that hooks tell of; those of deploys and apps are told by the pipeline, with more about them. */
export const hookOfEvent: Readonly<Record<string, Exclude<ToldHook, 'after-build' | PipelineHook>>> = {
  scale: 'scaled',
  sleep: 'slept',
  wake: 'woke',
  'wake-failed': 'wake-failed',
  oom: 'out-of-memory',
  crash: 'crashed',
  'certificate-failed': 'certificate-failed',
  'certificate-expires': 'certificate-expiring',
  'cron-failed': 'cron-failed',
  create: 'app-created',
  destroy: 'app-destroyed',
};
type PipelineHook = 'after-deploy' | 'deploy-failed' | 'app-renamed';
