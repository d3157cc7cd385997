import { WherryError } from '../../domain/errors.ts';
import type { Sandbox, SandboxSpec, SandboxStep } from '../engine.ts';
import type { FakeOptions } from './behaviour.ts';

/** A sandbox whose steps are what the test says; its limits of time and silence are kept. */
export function openFakeSandbox(spec: SandboxSpec, options: FakeOptions): Sandbox {
  return {
    id: spec.id,
    run: step => limited(step, heard => pretend(step, options, heard)),
    close: async () => {},
  };
}

async function pretend(step: SandboxStep, options: FakeOptions, heard: () => void): Promise<number> {
  const onOutput = (chunk: Buffer) => {
    heard();
    step.onOutput(chunk);
  };
  return (await options.step?.({ ...step, onOutput })) ?? 0;
}

function limited(step: SandboxStep, run: (heard: () => void) => Promise<number>): Promise<number> {
  return new Promise((resolve, reject) => {
    const { silence } = step;
    const stop = (why: string) => () => reject(new WherryError('build-failed', why));
    const timer = setTimeout(
      stop(`The build was stopped at its time limit of ${step.timeout} ms.`),
      step.timeout,
    );
    const startSilence = () =>
      silence === undefined
        ? undefined
        : setTimeout(stop(`The build was stopped because it printed nothing for ${silence} ms.`), silence);
    let quiet = startSilence();
    const heard = () => {
      clearTimeout(quiet);
      quiet = startSilence();
    };
    const onAbort = () => reject(new WherryError('interrupted', 'The build was cancelled.'));
    step.signal?.addEventListener('abort', onAbort, { once: true });
    run(heard)
      .then(resolve, reject)
      .finally(() => {
        clearTimeout(timer);
        clearTimeout(quiet);
        step.signal?.removeEventListener('abort', onAbort);
      });
  });
}
