/** Who may come to an app that asks for a name and password (RFC 7617). */
export type HttpAuth = {
  /** Hashes of passwords by name. */
  readonly users: Readonly<Record<string, string>>;
  /** Addresses and CIDR ranges whose visitors are not asked. */
  readonly allowed?: readonly string[];
};

export type StoredHttpAuth = HttpAuth & { readonly enabled: boolean };

/** The property that holds an app's, as JSON. */
export const httpAuthKey = 'http-auth';

export function readHttpAuth(stored: string | undefined): StoredHttpAuth {
  return stored === undefined ? { enabled: false, users: {} } : (JSON.parse(stored) as StoredHttpAuth);
}

/** What the edge is told; undefined when nobody is asked. */
export function httpAuthFor(stored: string | undefined): HttpAuth | undefined {
  const { enabled, users, allowed = [] } = readHttpAuth(stored);
  return enabled ? { users, ...(allowed.length > 0 && { allowed }) } : undefined;
}
