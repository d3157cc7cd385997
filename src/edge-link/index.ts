export { type AccessLogs, createAccessLogs } from './access-logs.ts';
export { edgeNodeFlags } from './command-line.ts';
export { fingerprint } from './fingerprint.ts';
export { createEdgeLink, type EdgeLink } from './link.ts';
export { readEdgeMetrics } from './metrics.ts';
export { createPageFiles, type PageFiles } from './page-files.ts';
export { stopEdge } from './process.ts';
export { serveMetrics } from './serve-metrics.ts';
export { startEdge } from './supervise.ts';
