import type { AppName } from './names.ts';

/**
 * What somebody may do, each role also all before it: a viewer looks, a deployer pushes, scales, restarts, configures and runs,
 * an admin does everything with apps, an owner also decides about people and the host.
 */
export const roles = ['viewer', 'deployer', 'admin', 'owner'] as const;
export type Role = (typeof roles)[number];

/** A role everywhere, or on one app. */
export type Grant = { readonly role: Role; readonly app?: AppName };

/** What a token narrows its user's rights to. */
export type Scope = {
  /** At most this; undefined: all that the user may. */
  readonly role: Role | undefined;
  /** On these alone; undefined: on all that the user may. */
  readonly apps: readonly AppName[] | undefined;
};

/** Somebody as decisions see them. */
export type Principal = {
  readonly user: string;
  readonly grants: readonly Grant[];
  /** Of a token. */
  readonly scope?: Scope;
};

/** The role on an app, or without one everywhere; undefined: none. */
export function roleOf({ grants, scope }: Principal, app?: AppName): Role | undefined {
  if (scope?.apps && (app === undefined || !scope.apps.includes(app))) return undefined;
  const held = grants.filter(grant => grant.app === undefined || grant.app === app).map(({ role }) => role);
  const role = held.reduce<Role | undefined>(
    (best, each) => (isAtLeast(best, each) ? best : each),
    undefined,
  );
  return role !== undefined && scope?.role !== undefined && isAtLeast(role, scope.role) ? scope.role : role;
}

export function isAtLeast(role: Role | undefined, least: Role): boolean {
  return role !== undefined && roles.indexOf(role) >= roles.indexOf(least);
}
