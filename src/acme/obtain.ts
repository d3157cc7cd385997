import { z } from 'zod';
import { makeCertificateRequest } from '../system/certificate-request.ts';
import type { Clock } from '../system/clock.ts';
import { faultPoint } from '../system/fault.ts';
import { CaFault } from './ca-fault.ts';
import { keyAuthorization } from './jose.ts';
import { Refusal, readProblem } from './refusal.ts';
import { retryAfter } from './retry-after.ts';
import { hostOf, location, readJson, type Session } from './session.ts';
import type { Reply } from './transport.ts';

/** Shows an authority that a host is ours, in one of its ways. */
export type Solver = {
  readonly type: 'http-01' | 'tls-alpn-01' | 'dns-01';
  /** Resolves when the proof can be seen. */
  show(proof: Proof, signal: AbortSignal): Promise<void>;
  hide(proof: Proof, signal: AbortSignal): Promise<void>;
};

export type Proof = { readonly host: string; readonly token: string; readonly keyAuthorization: string };

/** An order that was begun: what is needed to go on with it. A secret. */
export type Pending = { readonly order: string; readonly key: string; readonly request: string };

export type Task = {
  /** Exact, or `*.rest`. */
  readonly host: string;
  readonly session: Session;
  readonly solver: Solver;
  readonly clock: Clock;
  /** The certificate that it replaces, as RFC 9773 names it. */
  readonly replaces: string | undefined;
  /** Left by one that did not come to its end. */
  readonly pending: Pending | undefined;
  /** Keeps the order before anything is done that could not be done twice. */
  readonly keep: (pending: Pending) => void;
  /** A proof that could not be taken back: no reason to go without the certificate. */
  readonly left: (error: unknown) => void;
};

const order = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
  authorizations: z.array(z.string()).max(10),
  finalize: z.string(),
  certificate: z.string().optional(),
  error: z.unknown().optional(),
});

const authorization = z.object({
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  identifier: z.object({ value: z.string() }),
  challenges: z.array(
    z.object({
      type: z.string(),
      url: z.string(),
      token: z.string().optional(),
      error: z.unknown().optional(),
    }),
  ),
});

/** Milliseconds that an authority may take to look at a host, or to issue. */
const patience = 120_000;

/** Gets a certificate for one host: its chain and key as PEM. @throws Refusal, CaFault */
export async function obtain(task: Task, signal: AbortSignal): Promise<string> {
  const what = `No certificate for ${task.host}`;
  const pending = (await stillOpen(task, signal)) ?? (await begin(task, signal));
  const ask = { url: pending.order, what };
  const read = async () => {
    const reply = await task.session.post(ask, signal);
    return { reply, value: readJson(reply, ask.url, order) };
  };

  let { value: now } = await read();
  if (now.status === 'pending') {
    for (const url of now.authorizations) await prove(task, url, signal);
    now = await until(task, read, ({ status }) => status !== 'pending', signal);
  }
  if (now.status === 'ready') {
    const csr = Buffer.from(pending.request.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64').toString(
      'base64url',
    );
    await task.session.post({ url: now.finalize, payload: { csr }, what }, signal);
  }
  if (now.status !== 'valid')
    now = await until(task, read, ({ status }) => status === 'valid' || status === 'invalid', signal);
  if (now.status === 'invalid') throw new Refusal(readProblem(now.error), { what });
  if (!now.certificate) throw new CaFault(`${hostOf(ask.url)} issued a certificate, and did not tell where`);
  await faultPoint('acme:issued');
  const { body } = await task.session.post({ url: now.certificate, what }, signal);
  return `${body.trimEnd()}\n${pending.key}`;
}

async function begin(task: Task, signal: AbortSignal): Promise<Pending> {
  const { host, session, replaces } = task;
  const { newOrder } = await session.directory(signal);
  const { key, request } = await makeCertificateRequest(host);
  const payload = { identifiers: [{ type: 'dns', value: host }], ...(replaces && { replaces }) };
  const reply = await session.post({ url: newOrder, payload, what: `No certificate for ${host}` }, signal);
  const { identifiers } = readJson(reply, newOrder, order);
  if (identifiers.length !== 1 || identifiers[0]?.value.toLowerCase() !== host)
    throw new CaFault(`${hostOf(newOrder)} took an order for another name than ${host}`);
  const pending = { order: location(reply, newOrder), key, request };
  task.keep(pending);
  return pending;
}

/** The order that was left, unless the authority has nothing more to give for it. */
async function stillOpen(task: Task, signal: AbortSignal): Promise<Pending | undefined> {
  const { pending, session, host } = task;
  if (!pending) return undefined;
  try {
    const reply = await session.post({ url: pending.order, what: `No certificate for ${host}` }, signal);
    return readJson(reply, pending.order, order).status === 'invalid' ? undefined : pending;
  } catch (error) {
    if (error instanceof Refusal && error.type !== 'rateLimited') return undefined;
    throw error;
  }
}

async function prove(task: Task, url: string, signal: AbortSignal): Promise<void> {
  const { host, session, solver } = task;
  const what = `No certificate for ${host}`;
  const read = async () => {
    const reply = await session.post({ url, what }, signal);
    return { reply, value: readJson(reply, url, authorization) };
  };
  const { value: now } = await read();
  if (now.identifier.value.toLowerCase() !== host.replace(/^\*\./, ''))
    throw new CaFault(`${hostOf(url)} asks for a proof for another name than ${host}`);
  if (now.status !== 'pending') return;

  const challenge = now.challenges.find(({ type }) => type === solver.type);
  const token = challenge?.token ?? '';
  if (!challenge) throw new Refusal(readProblem({ detail: `it offers no ${solver.type}` }), { what });
  // It becomes a path and an argument: what RFC 8555 section 8.3 allows, and no more.
  if (!/^[A-Za-z0-9_-]{1,256}$/.test(token))
    throw new CaFault(`${hostOf(url)} gave a token that cannot be one`);
  const proof = { host, token, keyAuthorization: keyAuthorization(token, session.key) };
  try {
    await solver.show(proof, signal);
    await session.post({ url: challenge.url, payload: {}, what }, signal);
    const after = await until(task, read, ({ status }) => status !== 'pending', signal);
    if (after.status === 'valid') return;
    const error = after.challenges.find(({ type }) => type === solver.type)?.error;
    throw new Refusal(readProblem(error), { what });
  } finally {
    await solver.hide(proof, signal).catch(task.left);
  }
}

/** Reads again until it is as wanted, when the authority says or after half a second, then a second, up to eight. */
async function until<Value>(
  { clock, host }: Task,
  read: () => Promise<{ reply: Reply; value: Value }>,
  wanted: (value: Value) => boolean,
  signal: AbortSignal,
): Promise<Value> {
  const end = clock.ticks() + patience;
  for (let pause = 500; ; pause = Math.min(pause * 2, 8000)) {
    const { reply, value } = await read();
    if (wanted(value)) return value;
    if (clock.ticks() > end)
      throw new CaFault(
        `The certificate authority did not come to an end with ${host} in ${patience / 1000} seconds`,
      );
    const told = retryAfter(reply.header('retry-after'), clock.now());
    const ms = told ? told.getTime() - clock.now().getTime() : pause;
    await clock.sleep(Math.min(Math.max(ms, 250), 15_000), signal);
  }
}
