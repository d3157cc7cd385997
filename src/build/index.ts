export { type BuilderOptions, createBuilder } from './create.ts';
export { createLayerStore, type LayerStore } from './layers/store.ts';
