export { createBuilder } from './create.ts';
export { createLayerStore } from './layers/store.ts';
