import type { Doing } from '../deploy.ts';
import type { App } from '../domain/app.ts';
import type { Context } from './context.ts';

/** Who acts, who watches and what stops it, as the deployer wants to know. */
export function doing(context: Context): Doing {
  return { actor: context.actor, progress: context.progress, signal: context.signal };
}

/** Tells an event of an app, by the actor, now. Never put a config value into it. */
export function tell(context: Context, app: App, kind: string, message: string): void {
  context.store.events.add({
    at: context.clock.now(),
    app: app.name,
    kind,
    message,
    actor: context.actor.name,
  });
}

/** Whether a release of the app is live; if not, says so as dokku does. */
export function isDeployed(context: Context, app: App): boolean {
  if (context.store.releases.live(app)) return true;
  context.progress.warn(`App ${app.name} has not been deployed`);
  return false;
}
