import { describe, expect, it } from 'vitest';
import { checkDockerOption, readBuildOptions, secretsOf } from '../../src/domain/docker-option.ts';

describe('options of docker for the build', () => {
  it('are read with their values, quoted or not, behind = or a blank', () => {
    const texts = [
      '--build-arg NODE=20',
      "--build-arg 'GREETING=a b=c'",
      '--build-arg=EMPTY=',
      '--build-arg FROM_CONFIG',
      '--label org.example/a="x y"',
      '--target web',
      '--no-cache',
      '--pull=true',
    ];
    for (const text of texts) checkDockerOption(text, 'build');
    expect(readBuildOptions(texts)).toEqual({
      args: { NODE: '20', GREETING: 'a b=c', EMPTY: '', FROM_CONFIG: undefined },
      labels: { 'org.example/a': 'x y' },
      target: 'web',
      noCache: true,
      pull: true,
    });
  });

  it('hide the values of arguments that are named like secrets', () => {
    const options = readBuildOptions([
      '--build-arg NPM_TOKEN=t0k3n',
      '--build-arg NODE=20',
      '--build-arg A_KEY',
    ]);
    expect(Object.values(secretsOf(options))).toEqual(['t0k3n']);
  });

  it.each([
    ['--network=host', 'reaches out'],
    ['--network host', 'reaches out'],
    ['--security-opt seccomp=unconfined', 'reaches out'],
    ['--cap-add=SYS_ADMIN', 'reaches out'],
    ['--privileged', 'reaches out'],
    ['--device /dev/sda', 'reaches out'],
    ['--build-context x=/etc', 'reaches out'],
    ['-v /:/host', 'storage:mount'],
    ['--volume=/:/host', 'storage:mount'],
    ['-p 80:80', 'ports:add'],
    ['--memory 1g', 'resource:limit'],
    ['--restart always', 'ps:set'],
    ['-e A=b', 'config:set'],
    ['--file=/etc/passwd', 'builder-dockerfile:set'],
    ['--secret id=a,src=/etc/shadow', '--build-arg'],
    ['--frobnicate', 'is not known'],
    ['constructor', 'is not known'],
    ['--constructor', 'is not known'],
    ['', 'is not known'],
    ['--build-arg', 'has no name'],
    ['--build-arg =x', 'has no name'],
    ['--build-arg A=1 --privileged', 'more than one option'],
    ['--build-arg "A=1', 'quote that is open'],
    ['--build-arg A=1\n--privileged', 'line breaks'],
    ['--target --privileged', 'names no stage'],
    ['--no-cache=maybe', 'either there or not'],
  ])('%s is refused, as it %s', (text, why) => {
    expect(() => checkDockerOption(text, 'build')).toThrow(why);
  });

  it('are refused for other phases, and their values are not shown', () => {
    expect(() => checkDockerOption('--build-arg TOKEN=s3cr3t', 'deploy')).toThrow(
      'Docker option "--build-arg" counts while building',
    );
    expect(() => checkDockerOption('--build-arg-x=s3cr3t', 'build')).toThrow(/^((?!s3cr3t).)*$/);
  });
});
