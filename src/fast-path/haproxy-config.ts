import type { Listening } from '../domain/route.ts';

/** Apps that can have a lane, and instances that a lane has room for. Others are served by the edge alone. */
export const lanes = 64;
export const slots = 8;

/** The address that the front speaks to the edge from, on loopback: the edge believes the PROXY headers of nobody else. */
export const frontAddress = '127.84.1.1';
/** Where the edge listens behind the front: an address of its own, which no public one can be taken for. */
export const edgeAddress = '127.84.1.2';

export const laneName = (lane: number): string => `lane${lane}`;
export const serverName = (slot: number): string => `app${slot}`;

export function haproxyFiles(dir: string) {
  return {
    config: `${dir}/haproxy.cfg`,
    socket: `${dir}/haproxy.sock`,
    /** Which host is in which lane; begins empty and is filled over the socket. */
    map: `${dir}/hosts.map`,
    log: `${dir}/haproxy.log`,
    /** Empty: all that it sees of the file system once it runs. */
    root: `${dir}/root`,
  };
}

export type HaproxyOptions = {
  readonly dir: string;
  readonly listen: Listening;
  readonly edge: Listening;
  /** Undefined: stays who it is. */
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
};

/**
 * A configuration that never changes while it runs: lanes and their servers are there from the beginning, and out of use until the
 * socket says otherwise. What is not a plain request of HTTP/1.1 goes to the edge, which is a lane's backup too. One thread: a count
 * that was read after a server was told to drain must not be overtaken by another thread's request.
 */
export function haproxyConfig({ dir, listen, edge, user }: HaproxyOptions): string {
  const files = haproxyFiles(dir);
  const toEdge = `${address(edge)} source ${frontAddress} send-proxy-v2`;
  const confined = user ? `  uid ${user.uid}\n  gid ${user.gid}\n  chroot ${files.root}\n` : '';
  const made = Array.from({ length: lanes }, (_, at) => {
    const servers = `  server-template app 1-${slots} 127.0.0.1:1 disabled`;
    return `backend ${laneName(at + 1)} from lane\n${servers}\n  server edge ${toEdge} backup\n`;
  });
  return `global
  nbthread 1
  no strict-limits
  stats socket ${files.socket} mode 600 level admin
  stats timeout 10s
${confined}
defaults plain
  mode http
  timeout connect 2s
  timeout http-request 10s
  timeout http-keep-alive 75s
  timeout client 1h
  timeout server 1h
  timeout tunnel 24h
  option splice-auto

frontend visitors from plain
  bind ${address(listen)} backlog 4096
  acl origin url_beg /
  acl hops req.hdr(connection) -m found
  acl usual req.hdr(connection),lower -m str keep-alive close
  acl special req.hdr(upgrade) -m found
  acl special req.hdr(expect) -m found
  acl special req.hdr(te) -m found
  acl special req.hdr(accept) -m sub -i text/event-stream
  acl special path_beg /.well-known/acme-challenge/
  acl special req.ver 1.0
  acl special req.hdr_cnt(host) gt 1
  use_backend %[req.hdr(host),host_only,lower,map_str(${files.map},edge)] if origin !special !hops or origin !special usual
  default_backend edge

backend edge from plain
  server edge ${toEdge}

defaults lane from plain
  balance leastconn
  http-reuse safe
  retries 2
  option redispatch 1
  retry-on conn-failure empty-response
  http-request disable-l7-retry unless { method GET HEAD OPTIONS PUT DELETE TRACE }
  http-request del-header ^(x[-_]forwarded[-_]|x[-_]real[-_]ip$|forwarded$|x[-_]request[-_]start$|keep-alive$|proxy$|proxy-(connection|auth)|http2-settings$) -m reg
  http-request add-header X-Forwarded-For %[src]
  http-request add-header X-Forwarded-Proto http
  http-request add-header X-Forwarded-Host %[req.hdr(host)]
  http-request add-header X-Forwarded-Port %[dst_port]
  http-request add-header X-Request-Start %[date(0,ms)]
  http-request set-header X-Request-ID %[uuid()] unless { req.hdr(x-request-id) -m reg ^[a-zA-Z0-9_.:+/=-]{8,128}$ }
  http-response del-header ^(x-wherry-reason|proxy-(connection|authenticate)|keep-alive)$ -m reg

${made.join('\n')}`;
}

function address({ host, port }: Listening): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
