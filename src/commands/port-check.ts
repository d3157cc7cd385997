import type { App } from '../domain/app.ts';
import { WherryError } from '../domain/errors.ts';
import { appPorts, checkUnshared, type ListeningPorts, portsKey } from '../domain/port-map.ts';
import type { RoutePort } from '../domain/route.ts';
import { isFree, unprivilegedFrom } from '../system/host-port.ts';
import { seesApp } from './authorise.ts';
import type { Context } from './context.ts';

export function listeningPorts({ settings }: Context): ListeningPorts {
  return { http: settings.http.port, https: settings.https?.port };
}

/** Refuses ports of the host that an app cannot have, before anything is changed. @throws conflict, access-denied */
export async function checkHostPorts(context: Context, owner: App, wanted: readonly RoutePort[]) {
  const { store, actor } = context;
  const others = store.apps
    .list()
    .filter(({ id }) => id !== owner.id)
    .map(app => ({
      // Whose port it is, is for those alone who may see that app.
      app: seesApp(actor, app.name, store) ? app.name : undefined,
      ports: portsOf(context, app),
    }));
  checkUnshared(wanted, others);
  const served = new Set(
    [...portsOf(context, owner), ...others.flatMap(({ ports }) => ports)].map(({ port }) => port),
  );
  for (const { port } of wanted) if (!served.has(port)) await checkFree(context, port);
}

/** Of an app: at which the edge listens for it. */
function portsOf(context: Context, { id }: App): readonly RoutePort[] {
  return appPorts(context.store.properties.list(`app:${id}`, portsKey), listeningPorts(context));
}

async function checkFree({ settings }: Context, port: number): Promise<void> {
  if (port === 22 || port === settings.ssh.port)
    throw new WherryError('conflict', `Port ${port} is for SSH. Choose another port.`);
  const lowest = unprivilegedFrom();
  if (port < lowest)
    throw new WherryError(
      'access-denied',
      `Only root may listen on port ${port}, and the edge gives up root. Choose a port from ${lowest} up.`,
    );
  if (!(await isFree({ host: settings.http.host, port })))
    throw new WherryError(
      'conflict',
      `Another program listens on port ${port} of the host already. Stop it, or choose another port.`,
    );
}

/** Once the edge knows of them. @throws conflict */
export function checkOpen({ openPorts }: Context, wanted: readonly RoutePort[]): void {
  const open = openPorts();
  const shut = open && wanted.find(({ port }) => !open.has(port));
  if (shut)
    throw new WherryError(
      'conflict',
      `The edge could not open port ${shut.port}. Choose another port, or see the edge's log.`,
    );
}
