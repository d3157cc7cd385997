// What the operator of this host has set for downloads: certificates, registry, proxies. Builds get it as environment and a
// read-only mount; nothing of it is in any image.

import { type Proxies, readProxies } from '../system/proxy.ts';

export type Operator = {
  /** Host path of a PEM bundle. */
  readonly caFile?: string;
  /** What Wherry itself fetches through. */
  readonly proxies: Proxies;
  /** For buildpacks in the sandbox. */
  readonly buildEnv: Readonly<Record<string, string>>;
  /** For npm on the host. */
  readonly hostEnv: Readonly<Record<string, string>>;
};

/** Where the bundle is mounted in a sandbox. */
export const caInside = '/cnb/ca.pem';

const caVariables = [
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'CURL_CA_BUNDLE',
  'GIT_SSL_CAINFO',
  'PIP_CERT',
  'REQUESTS_CA_BUNDLE',
  'npm_config_cafile',
];
/** Where package managers fetch from, in place of their own index. */
const indexVariables = [
  'npm_config_registry',
  'NPM_CONFIG_REGISTRY',
  'PIP_INDEX_URL',
  'PIP_EXTRA_INDEX_URL',
  'PIP_TRUSTED_HOST',
  'GOPROXY',
  'GOSUMDB',
  'GONOSUMDB',
];
const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

/** The bundle is the one of the setting, or the one that this process itself was told to trust. */
export function readOperator(env: Readonly<Record<string, string | undefined>>, setting?: string): Operator {
  const caFile = setting || env['NODE_EXTRA_CA_CERTS'] || env['SSL_CERT_FILE'];
  const passed = pick(env, [...proxyVariables, ...indexVariables]);
  const npm = Object.keys(env).filter(name => /^npm_config_/i.test(name));
  return {
    ...(caFile ? { caFile } : {}),
    proxies: readProxies(env),
    buildEnv: { ...passed, ...(caFile ? Object.fromEntries(caVariables.map(name => [name, caInside])) : {}) },
    hostEnv: {
      ...pick(env, ['PATH', 'HOME', ...proxyVariables, ...npm]),
      ...(caFile ? { NODE_EXTRA_CA_CERTS: caFile } : {}),
    },
  };
}

function pick(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.flatMap(name => (env[name] ? [[name, env[name]]] : [])));
}
