import { describe, expect, it } from 'vitest';
import { environment, platformEnv } from '../../../src/build/lifecycle/container.ts';
import { aBuildpack } from './support/a-buildpack.ts';

const stack = { id: 'wherry-12', distro: { name: 'debian', version: '12' }, env: {} };
const names = (api: string) =>
  Object.keys(
    platformEnv({ buildpack: aBuildpack({ id: 'x/y', api }), cnb: { CNB_LAYERS_DIR: '/layers/a' } }, stack),
  );

describe('what a buildpack is told by its API version', () => {
  it('A2 is the folder of the buildpack and the stack at 0.7', () => {
    expect(names('0.7')).toEqual(['CNB_STACK_ID', 'CNB_BUILDPACK_DIR']);
  });

  it.each(['0.8', '0.9'])('A2 is also the folders of the phase at %s', api => {
    expect(names(api)).toEqual(['CNB_STACK_ID', 'CNB_BUILDPACK_DIR', 'CNB_PLATFORM_DIR', 'CNB_LAYERS_DIR']);
  });

  it.each(['0.10', '0.11'])('V2 is also the target at %s', api => {
    const env = platformEnv({ buildpack: aBuildpack({ api }), cnb: {} }, stack);
    expect(env).toMatchObject({
      CNB_TARGET_OS: 'linux',
      CNB_TARGET_DISTRO_NAME: 'debian',
      CNB_TARGET_DISTRO_VERSION: '12',
    });
    expect(env).not.toHaveProperty('CNB_EXEC_ENV');
  });

  it('A2 is also the execution environment at 0.12', () => {
    expect(platformEnv({ buildpack: aBuildpack({ api: '0.12' }), cnb: {} }, stack)).toMatchObject({
      CNB_EXEC_ENV: 'production',
      CNB_TARGET_OS: 'linux',
    });
  });

  it('V2 S3 is the stack that the app is on, and no distribution where that does not name any', () => {
    const of = (distro: { name: string; version: string }) =>
      platformEnv({ buildpack: aBuildpack({ api: '0.12' }), cnb: {} }, { id: 'heroku-24', distro });
    expect(of({ name: 'ubuntu', version: '24.04' })).toMatchObject({
      CNB_STACK_ID: 'heroku-24',
      CNB_TARGET_DISTRO_NAME: 'ubuntu',
      CNB_TARGET_DISTRO_VERSION: '24.04',
    });
    const bare = of({ name: '', version: '' });
    expect(bare['CNB_TARGET_OS']).toBe('linux');
    expect(Object.keys(bare).filter(name => name.includes('DISTRO'))).toEqual([]);
  });

  it('A5 names the folder of a buildpack with "_" in the place of "/"', () => {
    const env = platformEnv({ buildpack: aBuildpack({ id: 'x/y/z' }), cnb: {} }, stack);
    expect(env['CNB_BUILDPACK_DIR']).toBe('/cnb/buildpacks/x_y_z/1.2.3');
  });
});

describe('the environment of a buildpack', () => {
  const change = (name: string, value: string, action: 'default' | 'override' | 'prepend' = 'default') => ({
    ...{ name, value, action },
    delimiter: ':',
  });
  const of = (fields: { clearEnv?: boolean } = {}) =>
    environment(
      {
        stack,
        config: { TOKEN: 'user', PATH: '/mine', CNB_STACK_ID: 'no', BOTH: 'user' },
        operator: { buildEnv: { MIRROR: 'host', BOTH: 'host' } },
        operatorEnv: [
          change('TOKEN', 'operator'),
          change('FRESH', 'operator'),
          change('PATH', '/first', 'prepend'),
          change('LAYER', 'operator', 'override'),
        ],
      },
      { buildpack: aBuildpack(fields), base: { PATH: '/bin', LAYER: 'layer', TOKEN: 'layer' }, cnb: {} },
    );

  it('V3 has config in the place of what layers set, in front of path variables, and nothing that is reserved', () => {
    expect(of()).toMatchObject({ TOKEN: 'user', BOTH: 'user', CNB_STACK_ID: 'wherry-12' });
  });

  it('V4 has what the operator sets last, where a default hides nothing', () => {
    expect(of()).toMatchObject({ FRESH: 'operator', PATH: '/first:/mine:/bin', LAYER: 'operator' });
  });

  it('V3 V4 has no config, but what the operator sets, where the buildpack wants it clear', () => {
    expect(of({ clearEnv: true })).toMatchObject({
      ...{ TOKEN: 'layer', PATH: '/first:/bin', FRESH: 'operator', MIRROR: 'host', BOTH: 'host' },
    });
  });

  it('V1 has nothing of the process that builds', () => {
    process.env['HOST_ONLY'] = 'leak';
    expect(of()).not.toHaveProperty('HOST_ONLY');
    delete process.env['HOST_ONLY'];
  });
});
