// The only file that knows http-proxy. Its ProxyServer is the shell that calls the passes; none of its own passes is
// left, because they let bodies become second requests, leak answers that nobody reads, and throw on a client's reset.
import httpProxy from 'http-proxy';
import { Exchange, type ExchangeContext } from './exchange.ts';
import type { Plan } from './plan.ts';
import type { Inbound, Outbound } from './protocols.ts';

export interface Forwarder {
  /** Sends a request to an instance of its app and the answer back; never throws for what client or app do. */
  web(req: Inbound, plan: Plan): void;
  /** The same for an upgrade. @param first what came after the head */
  upgrade(req: Inbound, plan: Plan, first: Buffer): void;
}

type Pass = (
  req: Inbound,
  res: unknown,
  options: { readonly target: Plan },
  first: Buffer | undefined,
) => void;

type Shell = {
  webPasses: Pass[];
  wsPasses: Pass[];
  web(req: Inbound, res: Outbound, options: { target: Plan }): void;
  ws(req: Inbound, socket: unknown, first: Buffer, options: { target: Plan }): void;
};

const nothing = Buffer.alloc(0);

export function createForwarder(context: ExchangeContext): Forwarder {
  const shell = httpProxy.createProxyServer() as unknown as Shell;
  const stream: Pass = (req, _res, { target }, first) =>
    new Exchange(context, req, target, first ?? nothing).start();
  shell.webPasses = [stream];
  shell.wsPasses = [stream];
  return {
    web: (req, plan) => shell.web(req, plan.res, { target: plan }),
    upgrade: (req, plan, first) => shell.ws(req, req.socket, first, { target: plan }),
  };
}
