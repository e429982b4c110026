// A place outside of all sandboxes to which handlers report: what really ran, told by whoever ran.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { OWN_PATH, onlyOwn } from './own-path.ts';
import { waitFor } from './wait-for.ts';

export interface Collector<T> extends AsyncDisposable {
  /** POST JSON here. */
  readonly url: string;
  /** Reports up to now. */
  readonly count: number;
  readonly all: readonly T[];
  /** All reports, once there are so many. */
  received(count: number): Promise<readonly T[]>;
}

export async function startCollector<T>(): Promise<Collector<T>> {
  const all: T[] = [];
  const server = createServer(
    onlyOwn((request, response) => {
      text(request).then(
        (body) => {
          // Who is killed while reporting has reported nothing.
          if (request.complete && body !== '') all.push(JSON.parse(body));
          response.end();
        },
        () => response.destroy(),
      );
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}${OWN_PATH}`,
    all,
    get count() {
      return all.length;
    },
    async received(count) {
      await waitFor(`${count} reports`, () => all.length >= count);
      return [...all];
    },
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
