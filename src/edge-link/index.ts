export { createEdgeLink, type EdgeLink } from './link.ts';
export { stopEdge } from './process.ts';
export { startEdge } from './supervise.ts';
