import { choice } from './args.ts';
import { bashScript } from './completion/bash.ts';
import { fishScript } from './completion/fish.ts';
import { completions } from './completion/words.ts';
import { zshScript } from './completion/zsh.ts';
import { type Command, defineCommand } from './define.ts';
import type { Registry } from './registry.ts';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** `completion`, made of the registry it is in. */
export function completionCommand(registry: Registry): Command {
  return defineCommand({
    name: 'completion',
    summary: 'Print what makes a shell complete commands, flags and apps',
    description:
      'For bash: source <(wherry completion bash), in ~/.bashrc. For zsh the same, in ~/.zshrc after compinit. For fish: wherry completion fish | source, in ~/.config/fish/config.fish.',
    examples: ['completion bash', 'completion zsh', 'completion fish'],
    args: { shell: choice('shell', ['bash', 'zsh', 'fish']) },
    access: 'public',
    effect: 'read',
    run: (_context, { shell }) => ({ shell, script: completionScript(registry, shell) }),
    text: ({ script }) => script.trimEnd().split('\n'),
  });
}

export function completionScript(registry: Registry, shell: keyof typeof scripts): string {
  return scripts[shell](completions(registry));
}
