// Init has ten seconds; one that is stopped then runs again inside the invoke phase, on the function's own time.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { OWN_PATH, onlyOwn } from '../support/own-path.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost } from '../support/test-host.ts';

/** Counts requests; lets the first hang for ever. */
async function startHangingOnce() {
  let requests = 0;
  const server = createServer(
    onlyOwn((_request, response) => {
      requests += 1;
      if (requests > 1) response.end(String(requests));
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}${OWN_PATH}`,
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

test('an init of more than 10 s is stopped and run again; both ways out of that', async () => {
  using outside = await startHangingOnce();
  await using t = await startTestHost();
  const once = `const n = Number(await (await fetch('${outside.url}')).text());
    export const handler = async () => n;`;
  const always = `setInterval(() => {}, 1000);
    await new Promise(() => {});
    export const handler = async () => 1;`;
  await t.deploy('once', { 'index.mjs': once });
  await t.deploy('always', { 'index.mjs': always }, { Timeout: 1 });

  const [good, bad] = await Promise.all([t.invoke('once'), t.invoke('always')]);

  assert.equal(good.payload, 2);
  const [, id] = /^START RequestId: (\S+)/.exec(bad.log) ?? [];
  assert.deepEqual(bad.payload, {
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${id} Error: Task timed out after 1.00 seconds`,
  });
  assert.match(
    bad.log,
    /\tDuration: 1000\.00 ms\tBilled Duration: 1000 ms\t.*\tStatus: timeout\n$/,
  );
  const inits = async (name: string) =>
    (await readLog(t, `/aws/lambda/${name}`)).filter((line) => line.startsWith('INIT_REPORT '));
  const stopped = 'INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n';
  assert.deepEqual(await inits('always'), [
    stopped,
    'INIT_REPORT Init Duration: 1000.00 ms\tPhase: invoke\tStatus: timeout\n',
  ]);
  assert.deepEqual(await inits('once'), [stopped]);
  assert.equal((await t.invoke('once')).payload, 2, 'that environment stays');
});
