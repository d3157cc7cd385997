export { type AccessLogs, createAccessLogs } from './access-logs.ts';
export { createEdgeLink, type EdgeLink } from './link.ts';
export { stopEdge } from './process.ts';
export { startEdge } from './supervise.ts';
