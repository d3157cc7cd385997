import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemLayer } from '../build/support/oci-images.ts';
import { openRegistryHost, type RegistryHost } from '../build/support/registry-host.ts';
import type { Repository } from '../support/git.ts';
import { startWherry, type Wherry } from '../support/wherry.ts';

// The registry is a stand-in on loopback: those on the Internet are out of reach of tests.
describe('a pushed Dockerfile with HEALTHCHECK', () => {
  let wherry: Wherry;
  let host: RegistryHost;
  let app: Repository;
  beforeAll(async () => {
    host = await openRegistryHost();
    host.push('base', '1', { layers: [await systemLayer()] });
    wherry = await startWherry({ env: { WHERRY_ALLOW_HOSTS: host.host } });
    app = await wherry.repository('boat', { files: dockerfile('one', '--interval=250ms', 'true') });
  });
  afterAll(async () => {
    await wherry?.stop();
    await host?.close();
  });

  /** A web server that listens at once; the file `ready` comes three seconds later. */
  const dockerfile = (page: string, options: string, check: string) => ({
    'index.html': page,
    Dockerfile: [
      `FROM ${host.host}/base:1`,
      'WORKDIR /www',
      'COPY index.html .',
      'RUN /bin/busybox chown 7000 /www',
      'USER sailor',
      'EXPOSE 8080',
      `HEALTHCHECK ${options} CMD /bin/busybox ${check}`,
      'CMD (/bin/busybox sleep 3; echo yes > ready) & exec /bin/busybox httpd -f -p 8080',
      '',
    ].join('\n'),
  });
  const push = async (page: string, options: string, check: string) => {
    app.write(dockerfile(page, options, check));
    await app.commit(page);
    return await app.push();
  };

  it('is built from its image and answers', async () => {
    const pushed = await app.push();
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('boat')).text).toBe('one');
  });

  it('takes over only once its program says so, although it listens before', async () => {
    const pushed = await push('two', '--interval=250ms --retries=200', 'test -e /www/ready');
    expect(pushed.code, pushed.output).toBe(0);
    expect((await wherry.get('boat')).text).toBe('two');
    expect((await wherry.get('boat', '/ready')).text).toBe('yes\n');
  });

  it('is not deployed when its program never says so, and the release before goes on', async () => {
    const pushed = await push('three', '--interval=50ms --retries=2', 'false');
    expect(pushed.code).not.toBe(0);
    expect(pushed.output).toContain('does not start');
    expect((await wherry.get('boat')).text).toBe('two');
  });
});
