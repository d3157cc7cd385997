import { describe, expect, it } from 'vitest';
import { appPorts, isGrpc, mappedPort } from '../../src/domain/port-map.ts';

const listening = { http: 8080, https: 8443 };

describe('a port map', () => {
  it('opens only what is not one of the two listeners for all apps, by either of their names', () => {
    expect(
      appPorts(['http:80:5000', 'http:8080:5000', 'https:443:5000', 'grpcs:8443:5000'], listening),
    ).toEqual([]);
    expect(
      appPorts(['grpc:7000:5000', 'grpcs:7001:5000', 'http:7002:5000', 'tcp:7003:6379'], listening),
    ).toEqual([
      { scheme: 'h2c', port: 7000 },
      { scheme: 'https', port: 7001 },
      { scheme: 'http', port: 7002 },
      { scheme: 'tcp', port: 7003, container: 6379 },
    ]);
  });

  it('says whether web is spoken to in HTTP/2, and where it listens', () => {
    expect(isGrpc(['grpcs:443:50051'])).toBe(true);
    expect(isGrpc(['http:80:5000', 'tcp:7003:6379'])).toBe(false);
    expect(mappedPort(['grpcs:443:50051', 'tcp:7003:6379'])).toBe(50051);
    expect(mappedPort([])).toBeUndefined();
  });
});
