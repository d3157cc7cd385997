import { type ClientRequest, type IncomingMessage, request as plain } from 'node:http';
import { request as secure } from 'node:https';
import type { CheckProbe } from '../domain/health-check.ts';
import { quoteForPeople } from '../domain/names.ts';
import { timeLimit } from '../system/time-limit.ts';

type HttpProbe = Extract<CheckProbe, { kind: 'http' }>;

export type HttpTarget = {
  readonly address: string;
  readonly port: number;
  /** The name that the app is asked by; its address when left out. */
  readonly host?: string | undefined;
  /** Whether visitors come by HTTPS. */
  readonly secure?: boolean | undefined;
};

/** Bytes of an answer that text is looked for in. */
const mostRead = 2 ** 20;

/** Asks straight at the instance, past the edge: nothing is woken or counted by it. Undefined when it passes, else why not. */
export async function askHttp(
  target: HttpTarget,
  probe: HttpProbe,
  options: { readonly timeout: number; readonly signal: AbortSignal },
): Promise<string | undefined> {
  const what = `its health check ${probe.path}`;
  const limit = timeLimit(options.timeout, options.signal);
  try {
    const answer = await send(target, probe, limit.signal);
    const status = answer.statusCode ?? 0;
    const fits = status >= 200 && status < 400;
    if (fits && probe.content === undefined) {
      answer.destroy();
      return undefined;
    }
    const text = await readSome(answer);
    if (!fits) return `${what} answers ${status}${firstWords(text)}`;
    if (text.includes(probe.content ?? '')) return undefined;
    return `${what} answers ${status} without ${quoteForPeople(probe.content ?? '')}${firstWords(text)}`;
  } catch {
    return limit.late() ? `${what} takes longer than ${options.timeout / 1000} s` : `${what} does not answer`;
  } finally {
    limit.end();
  }
}

function send(target: HttpTarget, probe: HttpProbe, signal: AbortSignal): Promise<IncomingMessage> {
  const headers: Record<string, string> = {
    'user-agent': 'wherry-check',
    ...(target.host === undefined ? {} : { host: target.host }),
    ...(target.secure ? { 'x-forwarded-proto': 'https' } : {}),
  };
  for (const [name, value] of probe.headers) headers[name.toLowerCase()] = value;
  const options = {
    host: target.address,
    port: probe.port ?? target.port,
    path: probe.path,
    agent: false,
    headers,
    signal,
  } as const;
  return new Promise((resolve, reject) => {
    // An instance has no certificate that anybody could check.
    const asked: ClientRequest =
      probe.scheme === 'https' ? secure({ ...options, rejectUnauthorized: false }) : plain(options);
    asked.once('response', resolve);
    asked.once('error', reject);
    asked.end();
  });
}

async function readSome(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > mostRead) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function firstWords(text: string): string {
  const [line = ''] = text.trim().split('\n');
  return line === '' ? '' : `: ${quoteForPeople(line.trim())}`;
}
