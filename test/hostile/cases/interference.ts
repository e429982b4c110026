// Functions that speak where they should not: on the socket of their runtime, with the host, with other environments.
import assert from 'node:assert/strict';
import { waitFor } from '../../support/wait-for.ts';
import { fails, type HostileCase, returns } from '../case.ts';

const PEERS = 'test/e2e/runtime-api-peers.test.ts';

/** Frames as the bootstrap writes them, on the descriptor where it does. */
const FRAMES = `const frame = (kind, body) => {
  const bytes = Buffer.alloc(5 + body.length);
  bytes.writeUInt32LE(1 + body.length);
  bytes.write(kind, 4, 'latin1');
  body.copy(bytes, 5);
  return bytes;
};
const answer = (id, text) => frame('O', Buffer.concat([Buffer.from(id), Buffer.alloc(8), Buffer.from(text)]));
// Its first bytes announce a frame of gigabytes, of which enough comes for the host to look at it.
const garbage = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * 7919) % 251));`;

const FOREIGN = 'an answer to a foreign event';

const WAYS: Readonly<Record<string, string>> = {
  garbage: 'fs.writeSync(3, garbage);',
  'a frame of no kind': "fs.writeSync(3, frame('Z', garbage));",
  'an empty frame': 'fs.writeSync(3, Buffer.alloc(4));',
  [FOREIGN]: "fs.writeSync(3, answer('01234567-89ab-cdef-0123-456789abcdef', '\"stolen\"'));",
  'an answer cut short': "fs.writeSync(3, frame('O', Buffer.from('x')));",
  'that it is ready, once more': "fs.writeSync(3, frame('R', Buffer.alloc(4)));",
  'a broken line of its log': "fs.writeSync(3, frame('L', Buffer.alloc(3)));",
  'a broken error':
    "fs.writeSync(3, frame('E', Buffer.concat([Buffer.from(context.awsRequestId), Buffer.alloc(8), Buffer.from([255, 255])])));",
  'nothing, having closed all descriptors':
    'for (let fd = 0; fd < 64; fd += 1) try { fs.closeSync(fd); } catch {}',
  'by the mouth of a child':
    "spawnSync('/bin/sh', ['-c', 'head -c 1000 /dev/zero >&3'], { stdio: [0, 1, 2, 3] });",
};

const onTheSocket = Object.entries(WAYS).map(
  ([what, code]): HostileCase => ({
    // The answer to a foreign event is row 35, in the words of a runtime of ours.
    number: what === FOREIGN ? 35 : 40,
    what: `says on the socket of its runtime ${what}`,
    attack: `${code} await forever();`,
    init: FRAMES,
    settings: { Timeout: 60 },
    async check(run) {
      // Ended by the host, not by its deadline.
      await fails('Runtime.ExitError')(run);
    },
    everyTier: what === 'garbage' || what.startsWith('nothing'),
  }),
);

export const interference: readonly HostileCase[] = [
  {
    number: 34,
    what: 'asks at every loopback port for the next event',
    attack: `const ports = fs.readFileSync('/proc/net/tcp', 'latin1').split('\\n')
        .map((line) => /^ *\\d+: 0100007F:(\\w+) 00000000:0000 0A/.exec(line)?.[1]).filter(Boolean).map((hex) => parseInt(hex, 16));
      const answers = [];
      for (const port of ports) answers.push(await fetch('http://127.0.0.1:' + port + '/2018-06-01/runtime/invocation/next', { signal: AbortSignal.timeout(1000) })
        .then(({ headers }) => headers.get('lambda-runtime-aws-request-id'), () => null));
      return answers;`,
    settings: { Timeout: 60, MemorySize: 256 },
    check: returns((payload) => {
      assert.ok(Array.isArray(payload) && payload.length > 0, 'it has found the host');
      for (const id of payload) assert.equal(id, null);
    }),
    provenBy: PEERS,
  },
  ...onTheSocket,
  {
    number: 40,
    what: 'answers its own event, twice',
    attack: `fs.writeSync(3, answer(context.awsRequestId, '"early"')); return 'late';`,
    init: FRAMES,
    leavesUnread: true,
    async check(run) {
      assert.equal((await run.attack()).payload, 'early');
      // That environment ends over its second answer; a call that was already in it fails with it.
      await waitFor('it works anew', async () => (await run.behave()).text === '"ok"');
    },
  },
  {
    number: 40,
    what: 'looks for the channel of a child process',
    attack: 'return typeof process.send;',
    check: returns((payload) => assert.equal(payload, 'undefined')),
  },
];
