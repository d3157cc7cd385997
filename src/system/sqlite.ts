import { createRequire } from 'node:module';
import type Sqlite from 'better-sqlite3';

const require = createRequire(import.meta.url);

/** The oldest Node.js that takes the newer of the two. */
const newer = 22;

/**
 * better-sqlite3 in the version that this Node.js takes. Its 12 is the last for Node 20, and aborts the process under Node
 * 24.19 and later when a statement is collected (nodejs/node's ObjectWrap asks for an environment then); 13 is built on
 * Node-API and needs Node 22.
 */
export const Database: typeof Sqlite =
  Number.parseInt(process.versions.node, 10) >= newer
    ? require('better-sqlite3-13')
    : require('better-sqlite3');
