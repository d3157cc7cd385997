import { only, quote } from './launcher.ts';
import type { ForType } from './record.ts';

/**
 * What runs a command that is meant for a shell: one bash sources the layers' profile.d scripts and the app's own `.profile`
 * in the app's folder, then makes way. One word is a script; of several, each is expanded once and stays one word.
 */
export function renderShell(profiles: readonly ForType<{ readonly path: string }>[]): string {
  const sources = profiles.map(profile => only(profile, `source ${quote(profile.path)}`)).join('');
  return `#!/bin/bash
_cnb_type=$CNB_PROCESS_TYPE
unset CNB_PROCESS_TYPE
_cnb_words=("$@")
set --
_cnb_dir=$PWD
cd /workspace
${sources}if [[ -f .profile ]]; then source ./.profile; fi
cd "$_cnb_dir"
if (( \${#_cnb_words[@]} == 1 )); then exec bash -c "\${_cnb_words[0]}"; fi
for _cnb_word in "\${_cnb_words[@]}"; do
  eval "_cnb_word=\\"$_cnb_word\\""
  set -- "$@" "$_cnb_word"
done
exec "$@"
`;
}
