export { type AccessLogs, createAccessLogs } from './access-logs.ts';
export { createEdgeLink, type EdgeLink } from './link.ts';
export { readEdgeMetrics } from './metrics.ts';
export { createPageFiles, type PageFiles } from './page-files.ts';
export { stopEdge } from './process.ts';
export { serveMetrics } from './serve-metrics.ts';
export { edgeNodeFlags, startEdge } from './supervise.ts';
