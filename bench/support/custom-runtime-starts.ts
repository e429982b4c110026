// First calls of functions that bring their own runtime, in turns with a bare spawn of the same `bootstrap` against a Runtime API
// that has one event and nothing else to do.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { bashRuntime, CUSTOM, executable } from '../../test/support/custom-runtime.ts';
import { type Bench, deployFresh, firstCall, rest, row } from './first-calls.ts';
import type { Table } from './scenario.ts';

export async function measureCustomRuntime(bench: Bench, count: number): Promise<Table> {
  const bootstrap = bashRuntime({});
  const names = await deployFresh(
    bench,
    'custom',
    count,
    (id) => ({ bootstrap: executable(bootstrap), id }),
    CUSTOM,
  );
  bench.progress(`${count} first calls of custom runtimes in turns with a bare spawn`);
  const bareMs: number[] = [];
  const firstMs: number[] = [];
  for (const functionName of names) {
    await rest(bench);
    bareMs.push(await timeBare(bench, bootstrap));
    await rest(bench);
    firstMs.push(await firstCall(bench, functionName, '{}'));
  }
  return {
    title: 'A custom runtime in bash over curl, as a ratio of a bare spawn of it up to its answer',
    rows: [
      row('bare bootstrap, spawn to answer', bareMs, bareMs),
      row('first invoke, the host at rest before', firstMs, bareMs),
    ],
  };
}

/** ms from the spawn to the arrival of its answer. */
async function timeBare({ folder, signal }: Bench, bootstrap: string): Promise<number> {
  const file = path.join(folder, 'bootstrap');
  await writeFile(file, bootstrap);
  await chmod(file, 0o755);
  const answered = Promise.withResolvers<number>();
  let events = 1;
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      answered.resolve(performance.now());
      response.writeHead(202).end('{"status":"OK"}');
    } else if (events > 0) {
      events -= 1;
      response.writeHead(200, { 'Lambda-Runtime-Aws-Request-Id': 'bare' }).end('{}');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // of a TCP server that listens
  const beganAt = performance.now();
  const child = spawn(file, [], {
    cwd: folder,
    env: { PATH: '/usr/bin:/bin', TMPDIR: folder, AWS_LAMBDA_RUNTIME_API: `127.0.0.1:${port}` },
    stdio: 'ignore',
    detached: true,
    signal,
  });
  const exit = once(child, 'exit');
  const failed = exit.then(() => {
    throw new Error('the bare bootstrap has ended without an answer');
  });
  try {
    return (await Promise.race([answered.promise, failed])) - beganAt;
  } finally {
    failed.catch(() => {}); // it is killed now
    // With the curl that waits for the next event.
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await exit;
    server.closeAllConnections();
    server.close();
  }
}
