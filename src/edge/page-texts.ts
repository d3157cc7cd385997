// The words of each page, together: whose fault it is, and what helps.
import type { Failure } from './connection.ts';
import type { Page } from './pages.ts';
import { type Refusal, targetTooLong } from './request-head.ts';
import type { AppRoute } from './routes.ts';
import type { Verdict } from './sign-in.ts';

export function unknownHost(host: string): Page {
  return {
    status: 404,
    reason: 'unknown-host',
    title: 'No such app',
    text: `No app answers to ${host} here. If it should, give the name to an app:`,
    hint: `domains:add APP ${host}`,
  };
}

/** The host's app is served at other ports than this one. */
export function notAtPort(host: string, port: number): Page {
  return {
    status: 404,
    reason: 'unknown-port',
    title: 'No such app',
    text: `No app answers to ${host} at port ${port}. If one should, give it the port:`,
    hint: `ports:add APP http:${port}:5000`,
  };
}

/** The connection's certificate is not for this host; the client comes again with another (RFC 9110 section 15.5.20). */
export const misdirected: Page = {
  status: 421,
  reason: 'misdirected',
  title: 'Misdirected request',
  text: 'This connection is for another host. Ask for this one on a connection of its own.',
};

export const noRoutes: Page = {
  status: 503,
  reason: 'no-routes',
  title: 'Starting',
  text: 'The server has just started and does not know its apps yet. Try again in a moment.',
  retryAfter: 2,
};

/** The same address over HTTPS; 308 keeps method and body (RFC 9110 section 15.4.9). */
export function secureInstead(method: string, location: string): Page {
  return {
    status: method === 'GET' || method === 'HEAD' ? 301 : 308,
    reason: 'https-redirect',
    title: 'Moved',
    text: `This is at ${location} now.`,
    location,
  };
}

export function redirected(status: number, location: string): Page {
  return { status, reason: 'redirect', title: 'Moved', text: `This is at ${location} now.`, location };
}

/** Not by this address. */
export function notAllowed(app: string): Page {
  return {
    status: 403,
    reason: 'address-refused',
    title: 'Not allowed',
    text: `App ${app} is not open to your address.`,
  };
}

/** What a visitor gets who is not let in by name and password; undefined for one who is. */
export function whoAreYou(app: string, verdict: Verdict): Page | undefined {
  switch (verdict) {
    case 'in':
      return undefined;
    case 'unknown':
      return {
        status: 401,
        reason: 'sign-in',
        title: 'Sign in',
        text: `App ${app} is open to those alone who have a name and password for it.`,
        challenge: `Basic realm="${app}", charset="UTF-8"`,
      };
    case 'too-many':
      return {
        status: 429,
        reason: 'sign-in-limit',
        title: 'Too many tries',
        text: 'Too many wrong passwords came from your address. Try again in a moment.',
        retryAfter: 10,
      };
    case 'busy':
      return {
        status: 503,
        reason: 'sign-in-busy',
        title: 'Server busy',
        text: 'The server checks as many passwords as it can. Try again in a moment.',
        retryAfter: 2,
      };
  }
}

export function badRequest(refusal: Refusal): Page {
  const title = refusal.status > 500 ? 'Not implemented' : 'Bad request';
  return { status: refusal.status, reason: refusal.reason, title, text: refusal.text };
}

/** An app that has no instance to serve. */
export function notServing(route: AppRoute): Page {
  const known = {
    asleep: ['app-asleep', `App ${route.app} sleeps.`],
    serving: ['app-unavailable', `App ${route.app} has no running web process at the moment.`],
    stopped: ['app-stopped', `App ${route.app} is stopped.`],
    undeployed: ['app-undeployed', `App ${route.app} has nothing deployed yet.`],
    crashed: ['app-crashed', `App ${route.app} crashed and is being restarted.`],
  } as const satisfies Record<AppRoute['state'], readonly [string, string]>;
  const [reason, text] = known[route.state];
  return {
    status: 503,
    reason,
    title: 'App not available',
    text: route.reason ?? text,
    retryAfter: route.state === 'stopped' || route.state === 'undeployed' ? 60 : 5,
  };
}

export function inMaintenance(app: string): Page {
  return {
    status: 503,
    reason: 'maintenance',
    title: 'Maintenance',
    text: `App ${app} is down for maintenance. Try again later.`,
    retryAfter: 60,
  };
}

/** For a request that does not count as use. */
export function stillAsleep(app: string): Page {
  return {
    status: 503,
    reason: 'app-asleep',
    title: 'App asleep',
    text: `App ${app} sleeps, and requests like this one are set not to wake it.`,
    retryAfter: 60,
  };
}

/** Instead of waiting; the browser asks again by itself. */
export function waking(app: string): Page {
  return {
    status: 503,
    reason: 'app-waking',
    title: 'Starting',
    text: `App ${app} was asleep and is being started. This page opens it as soon as it is up.`,
    retryAfter: 2,
    refresh: 2,
  };
}

export function wakeTimedOut(app: string, seconds: number): Page {
  return {
    status: 503,
    reason: 'wake-timeout',
    title: 'App not available',
    text: `App ${app} was asleep and was not up within ${seconds} seconds. Its log says more.`,
    hint: `logs ${app}`,
    retryAfter: 5,
  };
}

export function tooManyWait(app: string): Page {
  return {
    status: 503,
    reason: 'wake-queue-full',
    title: 'App busy',
    text: `App ${app} is being started, and as many requests as may wait for it do. Try again in a moment.`,
    retryAfter: 5,
  };
}

export const appsWaking: Page = {
  status: 503,
  reason: 'gate-full',
  title: 'Server busy',
  text: 'The server is starting more apps than it has room for waiting requests. Try again in a moment.',
  retryAfter: 10,
};

export function appFailed(app: string, failure: Failure): Page {
  const known = {
    refused: ['app-refused', 'does not accept connections'],
    'connect-timeout': ['app-unreachable', 'did not accept a connection within 2 seconds'],
    closed: ['app-closed', 'closed the connection without a complete answer'],
    protocol: ['app-protocol', 'sent something that is not a valid HTTP answer'],
  } as const satisfies Record<Failure['kind'], readonly [string, string]>;
  const [reason, text] = known[failure.kind];
  return {
    status: 502,
    reason,
    title: 'App failed',
    text: `App ${app} ${text}. The fault is the app's, not the server's; its log says more.`,
    hint: `logs ${app}`,
  };
}

export function appSlow(app: string, seconds: number): Page {
  return {
    status: 504,
    reason: 'app-timeout',
    title: 'App too slow',
    text: `App ${app} did not begin to answer within ${seconds} seconds. The fault is the app's; its log says more.`,
    hint: `logs ${app}`,
  };
}

export function appBusy(app: string): Page {
  return {
    status: 503,
    reason: 'app-busy',
    title: 'App busy',
    text: `App ${app} has more requests waiting than it can answer. Try again in a moment.`,
    retryAfter: 5,
  };
}

export function bodyTooLarge(route: AppRoute): Page {
  return {
    status: 413,
    reason: 'body-too-large',
    title: 'Request too large',
    text: `App ${route.app} takes request bodies of at most ${route.bodyLimit} bytes.`,
  };
}

export const slowClient: Page = {
  status: 408,
  reason: 'slow-request',
  title: 'Request timeout',
  text: 'The request did not arrive in time.',
};

/** For a request that Node's parser refused. @param error with the bytes that came last */
export function unreadable(error: { readonly code?: string | undefined; readonly rawPacket?: Buffer }): Page {
  if (error.code === 'HPE_HEADER_OVERFLOW')
    return isLongTarget(error.rawPacket) ? badRequest(targetTooLong) : headerTooLarge;
  return error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? slowClient : malformed;
}

/** Whether the bytes begin with a request line that does not end within 8 KiB. */
function isLongTarget(bytes: Buffer | undefined): boolean {
  if (!bytes || !/^[A-Z]{3,20} /.test(bytes.toString('latin1', 0, 24))) return false;
  return !bytes.subarray(0, 8192).includes(10);
}

export const malformed: Page = {
  status: 400,
  reason: 'bad-request',
  title: 'Bad request',
  text: 'The request is not valid HTTP/1.1.',
};

const headerTooLarge: Page = {
  status: 431,
  reason: 'headers-too-large',
  title: 'Headers too large',
  text: 'The headers of the request are larger than 16 KiB.',
};

/** For an app that is spoken to in HTTP/2. */
export function noUpgrade(app: string): Page {
  return {
    status: 501,
    reason: 'no-upgrade',
    title: 'Not implemented',
    text: `App ${app} is set to speak HTTP/2 without TLS, in which connections are not upgraded to WebSocket.`,
    hint: `proxy:set ${app} h2c=false`,
  };
}

export const noTunnels: Page = {
  status: 405,
  reason: 'no-tunnels',
  title: 'Method not allowed',
  text: 'CONNECT is not answered here.',
};

export const badExpectation: Page = {
  status: 417,
  reason: 'bad-expectation',
  title: 'Expectation failed',
  text: 'The only expectation that is understood here is 100-continue.',
};

export const ownFault: Page = {
  status: 500,
  reason: 'edge-fault',
  title: 'Server fault',
  text: 'The server met a fault of its own. Its operator finds it in the log of the edge.',
};
