// A place outside of all sandboxes where handlers stop until the test lets them go on: what runs at the same time does so because it
// must, not because it is slow.
import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import { OWN_PATH, onlyOwn } from './own-path.ts';

export interface Turnstile extends Disposable {
  /** Code of a handler that stops here and returns `result`, an expression that may use `event`. */
  handler(result?: string): Readonly<Record<string, string>>;
  /** Handlers that have stopped here and have not been let go. */
  readonly waiting: number;
  /** Lets the one go that has waited longest. */
  releaseOne(): void;
  /** Lets everyone go who waits, and whoever comes later. */
  open(): void;
}

export async function startTurnstile(): Promise<Turnstile> {
  const waiting: ServerResponse[] = [];
  let isOpen = false;
  const server = createServer(
    onlyOwn((_request, response) => {
      if (isOpen) response.end();
      else waiting.push(response);
      response.once('close', () => {
        const at = waiting.indexOf(response);
        if (at >= 0) waiting.splice(at, 1);
      });
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  const url = `http://127.0.0.1:${address.port}${OWN_PATH}`;
  return {
    handler: (result = 'event') => ({
      'index.mjs': `export const handler = async (event) => {
        await (await fetch('${url}')).text();
        return ${result};
      };`,
    }),
    get waiting() {
      return waiting.length;
    },
    releaseOne: () => waiting.shift()?.end(),
    open: () => {
      isOpen = true;
      for (const response of waiting.splice(0)) response.end();
    },
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}
