import { describe, expect, it } from 'vitest';
import { parseAppJson } from '../../src/build/app-json.ts';

describe('app.json', () => {
  it('gives the path of the web process check, of type startup or readiness', () => {
    const text = `{
      // what others read
      "name": "x",
      "healthchecks": { "web": [{ "type": "liveness", "path": "/live" }, { "type": "startup", "path": "/up", "attempts": 3 }] },
    }`;
    expect(parseAppJson(text)).toEqual({ healthcheck: { path: '/up' } });
    expect(parseAppJson('{"healthchecks":{"web":[{"path":"/x"}]}}')).toEqual({ healthcheck: { path: '/x' } });
    expect(
      parseAppJson('{"healthchecks":{"worker":[{"path":"/x"}],"web":[{"type":"startup","uptime":3}]}}'),
    ).toEqual({});
    expect(parseAppJson('{}')).toEqual({});
  });

  it.each([
    ['{\n "a": ]', 'Invalid app.json: A value is missing at line 2, column 7. Correct it.'],
    ['[]', 'Invalid app.json: the document:'],
    [
      '{"healthchecks":{"web":[{"path":"up"}]}}',
      'Invalid app.json: healthchecks.web.0.path: must be a path that starts with "/"',
    ],
    ['{"healthchecks":{"web":[{"path":"/a b\\r\\nX: y"}]}}', 'healthchecks.web.0.path'],
    ['{"healthchecks":{"web":[{"type":"maybe"}]}}', 'healthchecks.web.0.type'],
  ])('refuses %j', (text, message) => {
    expect(() => parseAppJson(text)).toThrow(message);
  });
});
