// What the stack is made of. A change here gives it another key, and so a new stack beside the old one.

/** The stack that apps are on unless told, which every host makes by itself; its name and its id. */
export const stackId = 'wherry-12';
export const suite = 'bookworm';

/** Builds and apps run as the same user, who owns /workspace: apps that write beside their code keep working. */
export const appUser = { uid: 1000, gid: 1000 } as const;
export const home = '/home/app';

export const runPackages = ['ca-certificates', 'curl', 'locales', 'netbase', 'tzdata'] as const;
/** On top of the run image in every build. */
export const buildPackages = [
  'file',
  'git',
  'jq',
  'openssh-client',
  'procps',
  'unzip',
  'xz-utils',
  'zstd',
] as const;
/** On top of the build image once a build asks for `compilers`: 250 MB that most apps never need. */
export const compilerPackages = ['build-essential', 'pkg-config', 'python3'] as const;

/** Environment of every process in the stack before buildpacks add theirs. */
export const stackEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: home,
  LANG: 'en_US.UTF-8',
} as const;

/** Documentation and translations that no container reads; licences stay. */
export const excludedPaths = [
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/locale/*/LC_MESSAGES/*',
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
] as const;

/** Raise when a step changes what comes out of the same packages. */
export const revision = 1;
