type Family = { readonly head: string[]; readonly samples: Map<string, number> };

/** Of these the sum over processes means nothing. */
const largestCounts = new Set(['wherry_edge_event_loop_lag_seconds', 'wherry_edge_snapshot_generation']);

/** One text of several processes' metrics, in the text format of Prometheus: equal samples are added up. */
export function mergeMetrics(texts: readonly string[]): string {
  const [first = ''] = texts;
  if (texts.length < 2) return first;
  const families = new Map<string, Family>();
  for (const text of texts) addTo(families, text);
  return [...families.values()].map(printed).join('');
}

function addTo(families: Map<string, Family>, text: string): void {
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    const [, keyword, told] = /^# (HELP|TYPE) ([a-z_]+) /.exec(line) ?? [];
    if (told !== undefined) addHead(familyOf(families, told), line, keyword);
    else if (name !== undefined) addSample(familyOf(families, name.replace(/\{.*/, '')), name, Number(value));
  }
}

function familyOf(families: Map<string, Family>, name: string): Family {
  const known = families.get(name);
  if (known) return known;
  const made: Family = { head: [], samples: new Map() };
  families.set(name, made);
  return made;
}

function addHead({ head }: Family, line: string, keyword = ''): void {
  if (!head.some(other => other.startsWith(`# ${keyword}`))) head.push(line);
}

function addSample({ samples }: Family, name: string, value: number): void {
  const before = samples.get(name);
  const merged = largestCounts.has(name) ? Math.max(before ?? 0, value) : (before ?? 0) + value;
  samples.set(name, merged);
}

function printed({ head, samples }: Family): string {
  return [...head, ...[...samples].map(([name, value]) => `${name} ${value}`)]
    .map(line => `${line}\n`)
    .join('');
}
