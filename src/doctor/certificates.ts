import { about, type Finding } from './finding.ts';

export type Dated = {
  readonly names: readonly string[];
  readonly notAfter: Date;
  readonly isRenewed: boolean;
};

const { ok, warn, fail } = about('certificates');
const day = 86_400_000;
/** Those of ACME are renewed after two thirds of their life: closer to its end, that failed. */
const soon = { renewed: 7, given: 21 };

export function checkCertificates(certificates: readonly Dated[], now: Date): Finding[] {
  const findings = certificates.map(certificate => check(certificate, now));
  const right = findings.filter(({ state }) => state === 'ok');
  const summary =
    right.length === 0
      ? []
      : [ok(right.length === 1 ? '1 is valid for long enough' : `${right.length} are valid for long enough`)];
  return [...summary, ...findings.filter(({ state }) => state !== 'ok')];
}

function check({ names, notAfter, isRenewed }: Dated, now: Date): Finding {
  const days = Math.floor((notAfter.getTime() - now.getTime()) / day);
  const shown = `The certificate for ${names.slice(0, 3).join(', ')}${names.length > 3 ? ' and others' : ''}`;
  const remedy = isRenewed
    ? 'letsencrypt:report says why it was not renewed.'
    : 'Give its successor with certs:update, or have it done by letsencrypt:enable.';
  if (days < 0) return fail(`${shown} expired on ${notAfter.toISOString().slice(0, 10)}`, remedy);
  if (days < (isRenewed ? soon.renewed : soon.given)) return warn(`${shown} expires in ${days} days`, remedy);
  return ok(shown);
}
