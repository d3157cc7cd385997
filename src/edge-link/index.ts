export { createEdgeLink, type EdgeLink } from './link.ts';
export { type EdgeProcess, stopEdge } from './process.ts';
export { startEdge } from './supervise.ts';
