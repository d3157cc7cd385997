export { type FastPath, inFrontOf } from './fast-path.ts';
export { createHaproxyFront } from './haproxy.ts';
export { edgeAddress } from './haproxy-config.ts';
export { requireHaproxy, stopHaproxy } from './haproxy-process.ts';
