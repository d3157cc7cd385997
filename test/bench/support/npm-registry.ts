// A registry that serves the packages of the bench and nothing else: `npm-registry.ts ADDRESS PORT COUNT`. In a network namespace
// of its own, since no build reaches this host; it says one line when it listens, and ends with its standard input.
import { createServer } from 'node:http';
import { makePackages } from './npm-packages.ts';

const [address = '127.0.0.1', port = '0', count = '0'] = process.argv.slice(2);
const packages = new Map((await makePackages(Number(count))).map(each => [each.name, each.tarball]));

const server = createServer((request, response) => {
  const [, name = ''] = /^\/([a-z0-9-]+)\/-\/\1-1\.0\.0\.tgz$/.exec(request.url ?? '') ?? [];
  const tarball = packages.get(name);
  if (!tarball) response.writeHead(404).end();
  else response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(tarball);
});
server.listen(Number(port), address, () => process.stdout.write('listening\n'));
process.stdin.resume().once('end', () => process.exit(0));
