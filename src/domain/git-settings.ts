import { WherryError } from './errors.ts';
import { parseConfigKey, quoteForPeople } from './names.ts';

/** What `git:set` knows besides the limits of archives, by dokku's names: the property it is stored under, and its check. */
export const gitSettings = {
  'deploy-branch': { key: 'git-deploy-branch', usual: '', parse: parseBranch },
  'keep-git-dir': { key: 'git-keep-git-dir', usual: 'false', parse: parseSwitch },
  'rev-env-var': { key: 'git-rev-env-var', usual: 'GIT_REV', parse: parseConfigKey },
} as const;

/** The variable that tells an app which commit it is, after what is stored; nothing for an image that no commit made. */
export function revisionOf(stored: string | undefined, commit: string | null): Record<string, string> {
  return commit === null ? {} : { [stored ?? gitSettings['rev-env-var'].usual]: commit };
}

/** The rules of git-check-ref-format for one branch name, shortened to what people use. @throws invalid */
export function parseBranch(text: string): string {
  const name = text.replace(/^refs\/heads\//, '');
  const fits =
    /^[A-Za-z0-9_][A-Za-z0-9_./+@#-]{0,199}$/.test(name) &&
    !/\.\.|\/\/|\/\.|@\{|\.lock(\/|$)|[./]$/.test(name);
  if (fits) return name;
  throw new WherryError(
    'invalid',
    `Branch ${quoteForPeople(text)} is not a branch name. Give for example "main".`,
  );
}

function parseSwitch(text: string): string {
  if (text === 'true' || text === 'false') return text;
  throw new WherryError('invalid', `${quoteForPeople(text)} is not valid. Give true or false.`);
}
