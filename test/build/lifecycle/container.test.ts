import { describe, expect, it } from 'vitest';
import { platformEnv } from '../../../src/build/lifecycle/container.ts';
import { aBuildpack } from './support/a-buildpack.ts';

const names = (api: string) =>
  Object.keys(
    platformEnv({ buildpack: aBuildpack({ id: 'x/y', api }), cnb: { CNB_LAYERS_DIR: '/layers/a' } }),
  );

describe('what a buildpack is told by its API version', () => {
  it('A2 is the folder of the buildpack and the stack at 0.7', () => {
    expect(names('0.7')).toEqual(['CNB_STACK_ID', 'CNB_BUILDPACK_DIR']);
  });

  it.each(['0.8', '0.9'])('A2 is also the folders of the phase at %s', api => {
    expect(names(api)).toEqual(['CNB_STACK_ID', 'CNB_BUILDPACK_DIR', 'CNB_PLATFORM_DIR', 'CNB_LAYERS_DIR']);
  });

  it.each(['0.10', '0.11'])('V2 is also the target at %s', api => {
    const env = platformEnv({ buildpack: aBuildpack({ api }), cnb: {} });
    expect(env).toMatchObject({
      CNB_TARGET_OS: 'linux',
      CNB_TARGET_DISTRO_NAME: 'debian',
      CNB_TARGET_DISTRO_VERSION: '12',
    });
    expect(env).not.toHaveProperty('CNB_EXEC_ENV');
  });

  it('A2 is also the execution environment at 0.12', () => {
    expect(platformEnv({ buildpack: aBuildpack({ api: '0.12' }), cnb: {} })).toMatchObject({
      CNB_EXEC_ENV: 'production',
      CNB_TARGET_OS: 'linux',
    });
  });

  it('A5 names the folder of a buildpack with "_" in the place of "/"', () => {
    const env = platformEnv({ buildpack: aBuildpack({ id: 'x/y/z' }), cnb: {} });
    expect(env['CNB_BUILDPACK_DIR']).toBe('/cnb/buildpacks/x_y_z/1.2.3');
  });
});
