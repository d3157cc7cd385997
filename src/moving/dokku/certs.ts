import type { DokkuHost } from './host.ts';
import { malformed } from './report.ts';

/** The certificate that visitors see: it goes on being good here until it ends. */
export async function moveCertificate(host: DokkuHost, app: string): Promise<void> {
  const report = await host.report('certs', app, 'ssl-');
  if (report?.get('enabled') === 'true') {
    const chain = await host.read(['certs:show', app, 'crt'], pem('CERTIFICATE'));
    const key = await host.read(['certs:show', app, 'key'], pem('PRIVATE KEY'));
    if (chain !== undefined && key !== undefined)
      host.steps.push({
        words: ['certs:add', app],
        stdin: `${chain}\n${key}`,
        note: 'its certificate and key',
      });
  }
  const active = await host.ask('letsencrypt:active', app);
  if (active.kind === 'said' && active.out.trim() === 'true')
    host.later.push(
      `When its domains point to this host, let certificates be renewed: letsencrypt:enable ${app}`,
    );
}

function pem(kind: string): (out: string) => string {
  return out => {
    if (out.includes(`${kind}-----`) && out.trimEnd().endsWith('-----')) return out.trim();
    throw malformed('it is no PEM text, or was cut off');
  };
}
