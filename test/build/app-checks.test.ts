import { describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';

const checksOf = (checks: string) => parseAppJson(`{"healthchecks":${checks}}`).parts.healthchecks;

describe('health checks of an app.json', () => {
  it('are of four kinds, by process type, with their times in milliseconds', () => {
    const text = `{
      "web": [
        // what others read
        { "type": "startup", "name": "up", "path": "/up", "port": 8080, "scheme": "HTTP", "content": "fine", "attempts": 4,
          "wait": 2, "timeout": 0.5, "initialDelay": 10, "httpHeaders": [{ "name": "X-Token", "value": "a b" }], "warn": true,
          "onFailure": { "command": ["bin/tell", "it"] } },
        { "type": "liveness", "command": ["bin/alive"] },
        { "type": "readiness", "listening": true, },
      ],
      "worker": [{ "uptime": 3 }],
      "clock": [],
    }`;
    expect(checksOf(text)).toEqual({
      web: [
        {
          name: 'up',
          type: 'startup',
          probe: {
            kind: 'http',
            path: '/up',
            scheme: 'http',
            port: 8080,
            headers: [['X-Token', 'a b']],
            content: 'fine',
          },
          attempts: 4,
          wait: 2000,
          timeout: 500,
          initialDelay: 10_000,
          warn: true,
          onFailure: ['bin/tell', 'it'],
        },
        { name: 'bin/alive', type: 'liveness', probe: { kind: 'command', command: ['bin/alive'] } },
        { name: 'listening', type: 'readiness', probe: { kind: 'listening' } },
      ],
      worker: [{ name: 'uptime of 3 s', type: 'startup', probe: { kind: 'uptime', uptime: 3000 } }],
    });
  });

  it('ask for / at startup where they say nothing, and there are none without any', () => {
    expect(checksOf('{"web":[{}]}')).toEqual({
      web: [{ name: '/', type: 'startup', probe: { kind: 'http', path: '/', scheme: 'http', headers: [] } }],
    });
    expect(checksOf('{"web":[]}')).toBeUndefined();
    expect(checksOf('{}')).toBeUndefined();
  });

  it('keep what dokku does not know, and say that no URL is called', () => {
    const { warnings } = parseAppJson(
      '{"healthchecks":{"web":[{"path":"/","color":"red","onFailure":{"url":"http://10.0.0.1/"}}]}}',
    );
    expect(warnings).toEqual([
      'healthchecks.web.0.onFailure.url is left out: it is told in the events of the app.',
    ]);
  });

  it.each([
    ['{"web":{}}', 'healthchecks.web: '],
    ['{"web":["/up"]}', 'healthchecks.web.0: '],
    ['{"web":[{"path":"up"}]}', 'healthchecks.web.0.path: must be a path that starts with "/"'],
    ['{"web":[{"path":"/a b\\r\\nX: y"}]}', 'healthchecks.web.0.path'],
    ['{"web":[{"type":"maybe"}]}', 'healthchecks.web.0.type'],
    ['{"web":[{"path":"/","attempts":0}]}', 'healthchecks.web.0.attempts: must be at least 1'],
    ['{"web":[{"path":"/","attempts":"3"}]}', 'healthchecks.web.0.attempts: must be a whole number'],
    ['{"web":[{"path":"/","wait":-1}]}', 'healthchecks.web.0.wait: must be at least 0'],
    ['{"web":[{"path":"/","wait":1e99}]}', 'healthchecks.web.0.wait: must be at most 3600'],
    ['{"web":[{"path":"/","port":70000}]}', 'healthchecks.web.0.port: must be a port'],
    ['{"web":[{"path":"/","scheme":"file"}]}', 'healthchecks.web.0.scheme'],
    ['{"web":[{"command":"curl localhost"}]}', 'healthchecks.web.0.command'],
    ['{"web":[{"command":[]}]}', 'healthchecks.web.0.command: must not be empty'],
    ['{"web":[{"command":["x"],"path":"/"}]}', 'healthchecks.web.0: has a path and a command'],
    ['{"web":[{"type":"liveness","uptime":5}]}', 'healthchecks.web.0: has an uptime'],
    ['{"web":[{"httpHeaders":[{"name":"A:","value":""}]}]}', 'healthchecks.web.0.httpHeaders.0.name'],
    [
      '{"web":[{"httpHeaders":[{"name":"Content-Length","value":"9"}]}]}',
      'is a header that a check cannot set',
    ],
    ['{"web":[{"httpHeaders":[{"name":"A","value":"x\\r\\nB: y"}]}]}', 'httpHeaders.0.value'],
  ])('are refused by path: %s', (checks, message) => {
    expect(() => checksOf(checks)).toThrow(message);
  });
});
