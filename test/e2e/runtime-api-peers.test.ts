// The Runtime API of an environment serves its own processes only: neither another environment nor anybody else on the machine.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { bashRuntime, deployCustom } from '../support/custom-runtime.ts';
import { result } from '../support/function-answers.ts';
import { startTestHost } from '../support/test-host.ts';

/** Asks for the next event, and answers a made-up one, at every loopback port of the machine that listens. */
const ATTACK = `import { readFileSync } from 'node:fs';
import { request } from 'node:http';
const ports = () => readFileSync('/proc/net/tcp', 'latin1').split('\\n')
  .map((line) => /^ *\\d+: 0100007F:(\\w+) 00000000:0000 0A/.exec(line)?.[1])
  .filter(Boolean).map((hex) => parseInt(hex, 16));
const ask = (port, method, path) => new Promise((resolve) => {
  const asked = request({ host: '127.0.0.1', port, method, path, timeout: 1000 }, (answer) => {
    answer.resume();
    resolve([port, path, answer.statusCode, String(answer.headers['lambda-runtime-aws-request-id'])]);
  });
  asked.on('error', (error) => resolve([port, path, error.code, '']));
  asked.on('timeout', () => asked.destroy(new Error('timeout')));
  asked.end(method === 'POST' ? '"stolen"' : undefined);
});
export const handler = async ({ id }) => {
  const answers = [];
  for (const port of ports()) {
    answers.push(await ask(port, 'GET', '/2018-06-01/runtime/invocation/next'));
    answers.push(await ask(port, 'GET', '/2018-06-01/ping'));
    answers.push(await ask(port, 'POST', \`/2018-06-01/runtime/invocation/\${id}/response\`));
  }
  return answers;
};`;

type Attempt = readonly [port: number, path: string, outcome: number | string, id: string];

suite('the Runtime API of another environment', () => {
  for (const isolation of ['auto', 'off'] as const)
    test(`is closed to all others (isolation ${isolation})`, async () => {
      await using t = await startTestHost({ args: ['--isolation', isolation] });
      const handle = 'answer "\\"$AWS_LAMBDA_RUNTIME_API $id\\""';
      await deployCustom(t, 'victim', bashRuntime({ handle }));
      await t.deploy('attacker', { 'index.mjs': ATTACK }, { Timeout: 60, MemorySize: 256 });
      const [address = '', id = ''] = String(await result(t, 'victim')).split(' ');
      const port = Number(address.split(':')[1]);

      const attempts = (await result(t, 'attacker', { id })) as Attempt[]; // as the fixture returns
      const atVictim = attempts.filter(([attempted]) => attempted === port);
      assert.equal(atVictim.length, 3, 'the attacker has found the port');
      for (const [, path, outcome] of atVictim) assert.equal(outcome, 'ECONNRESET', path);
      for (const [, path, , stolen] of attempts)
        assert.ok(stolen === '' || stolen === 'undefined', path);

      const here = await fetch(`http://${address}/2018-06-01/runtime/invocation/next`).then(
        ({ status }) => status,
        (error: Error) => (error.cause as NodeJS.ErrnoException).code, // a failed connection's
      );
      assert.match(String(here), /ECONNRESET|UND_ERR_SOCKET/, 'nor is this process served');

      const [sameAddress] = String(await result(t, 'victim')).split(' ');
      assert.equal(sameAddress, address, 'the same environment has got its event');
      assert.deepEqual(t.reports, []);
    });
});
