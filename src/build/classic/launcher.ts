export const launcherPath = '/cnb/lifecycle/launcher';

/**
 * The program in front of every process of an app that a classic buildpack built: what `.profile.d` and `.profile` set, then
 * the process in its place. They are the app's own scripts, so the command is kept where they do not touch it.
 */
export const classicLauncher = `#!/bin/bash
wherry_command=("$@")
export HOME=/app
cd /app || exit 127
for wherry_file in /app/.profile.d/*.sh /app/.profile; do
  [ -r "$wherry_file" ] && . "$wherry_file"
done
unset wherry_file
set +eu
exec "\${wherry_command[@]}"
`;
