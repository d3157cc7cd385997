import { describe, expect, it } from 'vitest';
import { checkDockerOption, phaseOf, readRunOptions } from '../../src/domain/docker-option.ts';
import { noRunOptions } from '../../src/domain/docker-run-option.ts';

const mib = 2 ** 20;

describe('options of docker for what runs', () => {
  it('are read together, each in all its forms', () => {
    const texts = [
      '-v uploads:/data',
      '--volume=/var/lib/dokku/data/storage/blog:/blog:ro',
      '--mount type=volume,src=cache,dst=/cache,readonly',
      '--mount type=tmpfs,target=/scratch,tmpfs-size=64m',
      '--tmpfs /run/app:size=8m,mode=0700',
      '-e RAILS_ENV=production',
      "--env 'MOTTO=a b=c'",
      '--env FROM_CONFIG',
      '-m 256m',
      '--cpus=1.5',
      '--storage-opt size=1g',
      '--shm-size 268435456',
      '--read-only',
      '--ulimit nofile=1024:2048',
      '--ulimit core=0',
      '--add-host db.internal:10.1.2.3',
      '--add-host six=[fd00::1]',
      '--label com.example.team=web',
      '-h web',
      '--network backend',
      '-u 1001:1002',
      '--workdir=/srv/app',
      '--restart on-failure:10',
      '--cap-drop ALL',
      '--init',
    ];
    for (const text of texts) checkDockerOption(text, 'deploy');
    expect(readRunOptions(texts)).toEqual({
      mounts: [
        { source: 'uploads', target: '/data', readonly: false },
        { source: 'blog', target: '/blog', readonly: true },
        { source: 'cache', target: '/cache', readonly: true },
      ],
      tmpfs: [
        { target: '/scratch', size: 64 * mib },
        { target: '/run/app', size: 8 * mib, mode: '0700' },
      ],
      env: { RAILS_ENV: 'production', MOTTO: 'a b=c' },
      labels: { 'com.example.team': 'web' },
      ulimits: [
        { name: 'nofile', soft: 1024, hard: 2048 },
        { name: 'core', soft: 0, hard: 0 },
      ],
      hosts: [
        { name: 'db.internal', address: '10.1.2.3' },
        { name: 'six', address: 'fd00::1' },
      ],
      networks: ['backend'],
      memory: 256 * mib,
      cpus: 1.5,
      disk: 1024 * mib,
      shm: 256 * mib,
      readonlyRoot: true,
      hostname: 'web',
      user: { uid: 1001, gid: 1002 },
      workingDir: '/srv/app',
      restart: 'on-failure:10',
    });
    expect(readRunOptions([])).toEqual(noRunOptions);
    expect(['web', 'worker', 'release', 'run', 'cron'].map(phaseOf)).toEqual([
      ...['deploy', 'deploy', 'deploy', 'run', 'run'],
    ]);
  });

  it.each([
    ['--privileged', 'reaches out'],
    ['--device /dev/sda', 'reaches out'],
    ['--pid=host', 'reaches out'],
    ['--cap-add NET_ADMIN', 'reaches out'],
    ['--security-opt seccomp=unconfined', 'reaches out'],
    ['--sysctl net.ipv4.ip_forward=1', 'reaches out'],
    ['--userns=host', 'reaches out'],
    ['--gpus all', 'reaches out'],
    ['-v /etc:/host', 'is not shown to apps'],
    ['-v /srv:/host', 'use storage:mount'],
    ['-v /var/run/docker.sock:/var/run/docker.sock', 'is not shown to apps'],
    ['-v ../x:/data', 'is not a name of storage'],
    ['-v /data', 'names no storage'],
    ['-v', 'names no storage'],
    ['--mount type=bind,source=/srv,target=/x', 'use storage:mount'],
    ['--mount type=volume,source=/etc,target=/x', 'is not shown to apps'],
    ['--mount source=x,target=/x,volume-driver=nfs', 'has a field'],
    ['--tmpfs data', 'is no folder in memory'],
    ['--tmpfs /', 'is no folder in memory'],
    ['--tmpfs /a/../b', 'is no folder in memory'],
    ['--tmpfs /x:exec,dev', 'is no folder in memory'],
    ['--tmpfs /x:size=lots', 'has no amount'],
    ['-e DATABASE_URL=postgres://a:b@c', 'use config:set'],
    ['-e 1X=2', 'has no name'],
    ['--env-file /etc/shadow', 'use config:set'],
    ['-m lots', 'has no amount'],
    ['--storage-opt overlay.x=1', 'is no size'],
    ['--storage-opt size=1m', 'out of range. Give between 16m'],
    ['--memory 1k', 'is out of range'],
    ['--memory-swap 1g', 'use resource:limit'],
    ['--cpus 0', 'is no number of CPUs'],
    ['--ulimit nofile', 'is no limit'],
    ['--ulimit nofile=2048:1024', 'is no limit'],
    ['--ulimit nofile=unlimited', 'is no limit'],
    ['--ulimit rtprio=99', 'is no limit'],
    ['--add-host localhost:1.2.3.4', 'is no host'],
    ['--add-host db:host-gateway', 'is no host'],
    ['--add-host "db:1.2.3.4\t5.6.7.8 x"', 'is no host'],
    ['--label app=1', "platform's own labels"],
    ['--hostname a.b', 'is no name of a host'],
    ['--network host', 'names no network'],
    ['--network container:db', 'names no network'],
    ['--user root', 'is no user of its own'],
    ['--user 0', 'is no user of its own'],
    ['--user 1000:0', 'is no user of its own'],
    ['--workdir app', 'is no absolute path'],
    ['--workdir /a/../../b', 'is no absolute path'],
    ['--restart sometimes', 'Invalid restart-policy'],
    ['-p 80:80', 'use ports:add'],
    ['--link db', 'use network:attach'],
    ['--log-driver syslog', 'use logs:set'],
    ['--name x', 'leave it out'],
    ['--entrypoint sh', 'Dockerfile'],
    ['--build-arg A=1', 'counts while building'],
    ['--read-only=perhaps', 'either there or not'],
    ['--read-only --privileged', 'is more than one option|either there or not'],
    ['-v a:/b --privileged', 'more than one option'],
    ['constructor', 'is not known'],
  ])('%s is refused, as it %s', (text, why) => {
    for (const phase of ['deploy', 'run'] as const)
      expect(() => checkDockerOption(text, phase)).toThrow(new RegExp(why));
  });
});
