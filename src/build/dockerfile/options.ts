import type { BuildRequest } from '../builder.ts';
import { caInside, type Operator } from '../operator.ts';
import type { Given } from './scan.ts';

const caContext = 'wherry-ca';

type Asked = Pick<BuildRequest, 'config' | 'dockerfile'>;

/** Names that a program which reads its environment may take for settings of its own: such values are given as words. */
const setting =
  /^(PATH|HOME|TMPDIR|IFS|ENV|SHELL|USER|LOGNAME|BASH|LD_|GLIBC|MALLOC|GO|BUILDAH|CONTAINER|STORAGE_|REGISTR|XDG_|SSL_|DOCKER|GNUPG|HOST|RES_|LOC|NLS|LC_|LANG|SUDO|_|.*_proxy$)/i;

/** Where steps find the operator's certificates: in a folder that every image has. */
const caInStep = '/etc/wherry-ca.pem';

/** What is given to a Dockerfile: the app's own options, and for its steps what the operator set of downloads. */
export function givenTo(request: Asked, operator: Operator): Given {
  const own = Object.entries(operator.buildEnv);
  return {
    ...givenOf(request),
    stageArgs: own.map(([name, value]) => (value === caInside ? `${name}=${caInStep}` : name)),
    mount: operator.caFile && `type=bind,from=${caContext},source=ca.pem,target=${caInStep}`,
  };
}

/** Arguments with a value: given as one, or the app's config value of that name where only a name is given. */
export function givenOf({ config, dockerfile }: Asked): Required<Pick<Given, 'args'>> & Given {
  const { args = {}, target } = dockerfile?.options ?? {};
  const found = Object.entries(args).flatMap(([name, given]) => {
    const value = given ?? (Object.hasOwn(config, name) ? config[name] : undefined);
    return value === undefined ? [] : [[name, value] as const];
  });
  return { args: Object.fromEntries(found), target };
}

/** Flags of buildah and what it finds in its environment: values may be secrets, which no process list is to show. */
export function buildFlags(request: BuildRequest, operator: Operator) {
  const { args, target } = givenOf(request);
  const { labels = {}, noCache = false } = request.dockerfile?.options ?? {};
  const names = Object.keys(args);
  const hidden = names.filter(name => !setting.test(name));
  return {
    env: Object.fromEntries(hidden.map(name => [name, args[name] ?? ''])),
    flags: [
      ...(request.fresh || noCache ? ['--no-cache'] : []),
      ...(target === undefined ? [] : [`--target=${target}`]),
      ...Object.keys(indexesOf(operator)).map(name => `--build-arg=${name}`),
      ...(operator.caFile ? [`--build-context=${caContext}=/ca`] : []),
      ...names.map(name =>
        hidden.includes(name) ? `--build-arg=${name}` : `--build-arg=${name}=${args[name]}`,
      ),
      ...Object.entries(labels).map(([name, value]) => `--label=${name}=${value}`),
    ],
  };
}

/** What the operator set of proxies and package indexes: steps find it as arguments, which no image keeps. */
export function indexesOf({ buildEnv }: Operator): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(buildEnv).filter(([, value]) => value !== caInside));
}
