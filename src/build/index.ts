export { createBuilder } from './create.ts';
export { createLayerStore } from './layers/store.ts';
export { createRebaseAll } from './rebase-all.ts';
export { createNightly } from './rebase-nightly.ts';
export { createRebaseTimer } from './rebase-timer.ts';
export { createStack } from './stack/stack.ts';
