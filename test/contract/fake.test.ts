import type { Behaviour } from '../../src/engine/fake/behaviour.ts';
import { FakeEngine } from '../../src/engine/fake/fake-engine.ts';
import { argvOf, engineContract, mib, type Program, programs } from './engine.ts';

const behaviours: Partial<Record<Program, Behaviour>> = {
  exit3: { exit: { code: 3 } },
  exit0: { exit: { code: 0 } },
  stubborn: { stubborn: true },
  print: {
    output: [
      { stream: 'stdout', text: 'to stdout' },
      { stream: 'stderr', text: 'to stderr' },
    ],
    exit: { code: 0 },
  },
  cached: { output: [{ stream: 'stdout', text: 'read' }], spare: 30 * mib },
  mounted: {
    output: [
      { stream: 'stdout', text: 'ahoy' },
      { stream: 'stdout', text: 'refused' },
    ],
    exit: { code: 0 },
  },
  listen: { listen: {} },
  hold40: { memory: 40 * mib },
  eatMemory: { memory: 1024 * mib },
};

function programOf(argv: readonly string[]): Program | undefined {
  return (Object.keys(programs) as Program[]).find(name => argvOf(name).at(-1) === argv.at(-1));
}

function behave(argv: readonly string[]): Behaviour {
  const program = programOf(argv);
  return (program && behaviours[program]) ?? {};
}

engineContract({
  name: 'fake',
  layers: ['sha256:aa'],
  create: () =>
    new FakeEngine({
      behave: spec => behave(spec.argv),
      async exec(spec, options) {
        options.onOutput(Buffer.from(`${spec.env['GREETING']} ${options.env?.['EXTRA']}\n`), 'stdout');
        return 4;
      },
      async step(step) {
        const program = programOf(step.argv);
        if (program === 'exit0') return 0;
        if (program !== 'echoVariable') return new Promise(() => {});
        step.onOutput(Buffer.from(`${step.env['GREETING']} ${step.env['EXTRA']}\n`));
        return 4;
      },
    }),
  again: engine => engine,
});
