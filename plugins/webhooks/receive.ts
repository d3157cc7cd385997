import type { EndpointAnswer, EndpointRequest, Tools } from '../../src/plugin/api.ts';
import { cameBefore } from './deliveries.ts';
import { branchOf } from './deploys.ts';
import { isSameRepository, readPush } from './push.ts';
import { verify } from './signature.ts';

// One answer for whoever does not have the secret: it tells neither which apps there are nor which have a secret.
const unknown: EndpointAnswer = {
  status: 401,
  body: { error: 'There is no such app, or the request is not signed with its secret.' },
};
/** To try against where there is none. */
const noSecret = 'no app has this secret';

/** What a forge says at `/<app>`: a push of the right branch of the right repository, new and signed, begins a deploy. */
export function receive(
  request: EndpointRequest,
  tools: Tools,
  begin: (app: string) => void,
): EndpointAnswer {
  if (request.method !== 'POST') return { status: 405, body: { error: 'Only POST is taken here.' } };
  const app = request.path.slice(1);
  const secret = tools.hasApp(app) ? tools.setting('secret', app) : undefined;
  const delivery = verify(request, secret ?? noSecret);
  if (!delivery || secret === undefined) return unknown;

  if (delivery.event === 'ping') return { status: 200, body: { app, result: 'pong' } };
  if (delivery.event !== 'push' && delivery.event !== 'Push Hook') return ignored(app, 'it is no push');
  const push = readPush(request);
  if (!push) return { status: 400, body: { error: 'The body is not what is said of a push.' } };
  const repository = tools.setting('repository', app);
  if (repository === undefined)
    return refused(`No repository is set. Set it on the server: webhooks:set ${app} repository URL`);
  if (!push.repositories.some(each => isSameRepository(each, repository)))
    return refused('The push is of another repository than the app is deployed from.');
  if (push.ref !== `refs/heads/${branchOf(tools, app)}`) return ignored(app, 'it is of another branch');
  if (push.deleted) return ignored(app, 'the branch is gone');
  if (cameBefore(tools, app, { id: delivery.id, body: request.body })) return ignored(app, 'it came before');
  begin(app);
  return { status: 202, body: { app, result: 'a deploy begins' } };
}

function ignored(app: string, why: string): EndpointAnswer {
  return { status: 200, body: { app, result: `nothing is done: ${why}` } };
}

function refused(error: string): EndpointAnswer {
  return { status: 422, body: { error } };
}
