// The other end of a loopback connection is told by the kernel's lists: whose socket it is, whatever its family.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type Connection, holdsSocket, PeerSockets, peerIn } from '../../runtime/sandbox/peer.ts';
import { openTestHost, type TestHost } from './slot.ts';

const LIST = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0000000000000000 100 0 0 10 0
   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0000000000000000 20 4 30 10 -1
   2: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 200007        0 103 1 0000000000000000 20 4 30 10 -1
`;

const CONNECTION: Connection = {
  peerAddress: '127.0.0.1',
  peerPort: 50_000,
  address: '127.0.0.1',
  port: 8080,
};

test('the list names user and inode of the other end, not of ours', () => {
  assert.deepEqual(peerIn(LIST, '', CONNECTION), { uid: 200_007, inode: 103 });
  assert.equal(peerIn(LIST, '', { ...CONNECTION, peerPort: 50_001 }), undefined);
  assert.equal(peerIn(LIST, '', { ...CONNECTION, peerAddress: '127.0.0.2' }), undefined);
  assert.equal(peerIn(LIST, '', { ...CONNECTION, port: 8081 }), undefined);
});

test('however many ask at once, one list is read at a time, and none is older than the question', async () => {
  const reading: PromiseWithResolvers<string>[] = [];
  const peers = new PeerSockets((file) => {
    const read = Promise.withResolvers<string>();
    if (file === '/proc/net/tcp') reading.push(read);
    else read.resolve('');
    return read.promise;
  });
  const ask = () => Promise.all(Array.from({ length: 50 }, () => peers.of(CONNECTION)));
  const first = ask();
  await turn();
  assert.equal(reading.length, 1);
  const second = ask();
  await turn();
  assert.equal(reading.length, 1);
  reading[0]?.resolve('');
  assert.deepEqual(new Set(await first), new Set([undefined]));
  await turn();
  assert.equal(reading.length, 2);
  reading[1]?.resolve(LIST);
  assert.deepEqual((await second).at(-1), { uid: 200_007, inode: 103 });
  const third = ask();
  await turn();
  reading[2]?.reject(new Error('no /proc'));
  await assert.rejects(third, /no \/proc/);
  const fourth = peers.of(CONNECTION);
  await turn();
  reading[3]?.resolve(LIST);
  assert.equal((await fourth)?.inode, 103);
});

suite('a connection that was accepted', { concurrency: false }, () => {
  const server = createServer();
  let port: number;

  before(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo); // of a TCP server that listens
  });
  after(() => server.close());

  /** The accepted side's view; `end` closes both. */
  async function accepted(connecting: () => Socket) {
    const incoming = once(server, 'connection') as Promise<[Socket]>; // the event's one argument
    const client = connecting();
    const [socket] = await incoming;
    const { remoteAddress: peerAddress = '', remotePort: peerPort = 0 } = socket;
    const connection: Connection = { peerAddress, peerPort, address: '127.0.0.1', port };
    return {
      connection,
      end: () => {
        client.destroy();
        socket.destroy();
      },
    };
  }

  test('is this process’s own when this process connects, from any loopback address', async () => {
    for (const options of [{ localAddress: '127.0.0.1' }, { localAddress: '127.9.8.7' }]) {
      const { connection, end } = await accepted(() =>
        connect({ host: '127.0.0.1', port, ...options }),
      );
      const peer = await new PeerSockets().of(connection);
      assert.equal(peer?.uid, process.getuid?.());
      assert.equal(await holdsSocket([process.pid], peer?.inode ?? 0), true);
      assert.equal(await holdsSocket([process.ppid], peer?.inode ?? 0), false);
      end();
    }
  });

  test('is found in the other list when a socket of both families made it', async () => {
    const { connection, end } = await accepted(() =>
      connect({ host: '::ffff:127.0.0.1', family: 6, port }),
    );
    assert.equal((await new PeerSockets().of(connection))?.uid, process.getuid?.());
    end();
  });

  suite('by a sandbox', () => {
    for (const backend of ['auto', 'process'] as const) {
      test(`is that sandbox’s and no other’s (${backend})`, async () => {
        await using host: TestHost = await openTestHost({ backend });
        await using one = await host.start();
        await using other = await host.start();
        const incoming = once(server, 'connection') as Promise<[Socket]>; // the event's one argument
        await one.run(
          `const { connect } = await import('node:net');
           const { once } = await import('node:events');
           globalThis.kept = connect(${port}, '127.0.0.1');
           await once(kept, 'connect');`,
        );
        const [socket] = await incoming;
        const { remoteAddress: peerAddress = '', remotePort: peerPort = 0 } = socket;
        const connection: Connection = { peerAddress, peerPort, address: '127.0.0.1', port };
        assert.equal(await one.sandbox.isPeer(connection), true);
        assert.equal(await other.sandbox.isPeer(connection), false);
        assert.ok(one.sandbox.residentKib() > 10_000);
        socket.destroy();
      });
    }
  });
});
