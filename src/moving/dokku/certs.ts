import { letsencryptSettings } from '../../domain/letsencrypt.ts';
import { malformed } from '../answers.ts';
import { sift } from '../sift.ts';
import type { DokkuHost } from './host.ts';

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
  const email = (await host.report('letsencrypt', app))?.get('email') ?? '';
  if (email !== '') moveEmail(host, app, email);
  const active = await host.ask('letsencrypt:active', app);
  if (active.kind === 'said' && active.out.trim() === 'true')
    host.later.push(
      `When its domains point to this host, let certificates be renewed: letsencrypt:enable ${app}`,
    );
}

/** Where the authority writes to; older versions of the plugin keep it in config. */
export function moveEmail(host: DokkuHost, app: string, email: string): void {
  const [known] = sift([email], host.left, letsencryptSettings.email.parse);
  if (known !== undefined) host.step('letsencrypt:set', app, 'email', known);
}

function pem(kind: string): (out: string) => string {
  return out => {
    if (out.includes(`${kind}-----`) && out.trimEnd().endsWith('-----')) return out.trim();
    throw malformed('it is no PEM text, or was cut off');
  };
}
