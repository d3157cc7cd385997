type Advisory = { readonly severity?: string; readonly via?: readonly unknown[]; readonly range?: string };

/** What npm's report says of the packages that Wherry is shipped with. A report that is none must never pass for a clean one. */
export function judgeAudit(report: string): { exitCode: 0 | 1 | 75; lines: readonly string[] } {
  const found = weaknesses(report);
  if (!found)
    return {
      exitCode: 75,
      lines: [' !     Dependencies were not audited: the registry gave no answer to npm audit.'],
    };
  if (found.length === 0) return { exitCode: 0, lines: ['       No known weakness in dependencies'] };
  return {
    exitCode: 1,
    lines: found.map(
      ([name, { severity, range, via = [] }]) =>
        ` !     ${name} ${range ?? ''} (${severity ?? 'unknown'}): ${via.map(titleOf).join('; ')}`,
    ),
  };
}

function weaknesses(report: string): [string, Advisory][] | undefined {
  try {
    const { auditReportVersion, vulnerabilities } = JSON.parse(report) as {
      auditReportVersion?: unknown;
      vulnerabilities?: Record<string, Advisory>;
    };
    return auditReportVersion === 2 && vulnerabilities ? Object.entries(vulnerabilities) : undefined;
  } catch {
    return undefined;
  }
}

function titleOf(via: unknown): string {
  return typeof via === 'object' && via !== null && 'title' in via ? String(via.title) : `by ${String(via)}`;
}
