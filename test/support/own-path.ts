// Tests beside may ask every port of the machine, as hostile functions do. What is not meant for a server of a test must not count.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Requests for it, and for what is below it, are the test's own. */
export const OWN_PATH = '/of-this-test';

/** Hands on what is meant; everything else gets a 404. */
export function onlyOwn(
  listener: (request: IncomingMessage, response: ServerResponse) => void,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    if (request.url?.startsWith(OWN_PATH) === true) listener(request, response);
    else response.writeHead(404).end();
  };
}
