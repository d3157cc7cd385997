import { describe, expect, it } from 'vitest';
import { caInside, readOperator } from '../../src/build/operator.ts';

describe("an operator's settings", () => {
  it('reach builds as proxies, indexes of packages and the bundle of certificates, and as nothing else', () => {
    const env = {
      HTTPS_PROXY: 'http://proxy.test:3128',
      PIP_INDEX_URL: 'http://packages.test/simple',
      GOPROXY: 'http://modules.test',
      npm_config_registry: 'http://npm.test',
      PIP_CERT: '/etc/host-only.pem',
      PIP_FIND_LINKS: '/root/wheels',
      SECRET: 'x',
    };
    expect(readOperator(env).buildEnv).toEqual({
      HTTPS_PROXY: 'http://proxy.test:3128',
      PIP_INDEX_URL: 'http://packages.test/simple',
      GOPROXY: 'http://modules.test',
      npm_config_registry: 'http://npm.test',
    });
    const { buildEnv, caFile } = readOperator(env, '/etc/ours.pem');
    expect(caFile).toBe('/etc/ours.pem');
    expect([buildEnv['PIP_CERT'], buildEnv['SSL_CERT_FILE']]).toEqual([caInside, caInside]);
  });
});
