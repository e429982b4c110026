// A registry that npm can install one package from, on loopback.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { create } from 'tar';

export interface NpmRegistry extends AsyncDisposable {
  readonly url: string;
  /** How often the package itself was fetched. */
  readonly fetched: number;
}

/** @param dir holds the directory `package`, which is what the package consists of */
export async function startNpmRegistry(
  name: string,
  version: string,
  dir: string,
): Promise<NpmRegistry> {
  // Uncompressed: programs are large, and nothing goes over a network.
  const archive = await buffer(
    create({ cwd: dir, gzip: { level: 0 }, portable: true }, ['package']),
  );
  const integrity = `sha512-${createHash('sha512').update(archive).digest('base64')}`;
  let fetched = 0;
  const server = createServer((request, response) => {
    if (request.url === `/${name}`) {
      const dist = { tarball: `${url}/${name}.tgz`, integrity };
      const versions = { [version]: { name, version, bin: { node: 'bin/node' }, dist } };
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify({ name, 'dist-tags': { latest: version }, versions }));
    } else if (request.url === `/${name}.tgz`) {
      fetched += 1;
      response.end(archive);
    } else response.writeHead(404).end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    get fetched() {
      return fetched;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
