import type { LayerFate } from '../build/explain/layer-fate.ts';
import { becauseOf, wordsOf } from '../build/explain/words.ts';
import { defineCommand } from './define.ts';
import { app } from './kinds.ts';
import { columns, detail, header } from './lines.ts';

export const buildsExplain = defineCommand({
  name: 'builds:explain',
  summary: 'Show why the last build ran or did not, and what became of each layer',
  description:
    'Of the last build that succeeded: what of its key had changed since the build before (stack, buildpacks, runtimes, build settings, files, config by name and never by value), and which layers were reused. "git push -o explain" and "ps:rebuild --explain" tell it before a build begins.',
  examples: ['builds:explain blog', 'builds:explain blog --format json'],
  args: { app },
  access: { app: 'read' },
  effect: 'read',
  run(context, input) {
    const { builder, commit, at, cause, changes, layers } = context.builds.explain(context.app(input.app));
    return { builder, commit, at, cause, because: becauseOf({ cause, changes }), changes, layers };
  },
  text: (found, input) => [
    header(`${input.app} last build`),
    detail(found.because),
    ...columns([
      ['Commit:', found.commit.slice(0, 8)],
      ['Ended:', found.at],
      ...found.changes.map(change => ['Changed:', wordsOf(change)]),
    ]).map(detail),
    ...columns(found.layers.map(rowOf)).map(detail),
  ],
});

function rowOf({ layer, fate, by, why }: LayerFate): readonly string[] {
  return [fate, layer, `by ${by}: ${why}`];
}
