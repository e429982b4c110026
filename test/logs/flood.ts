// A process that logs a gigabyte as the host would, and says what that cost it. Arguments: directory, how it comes, how
// many reads of 64 KB come before anything else has a turn.
import { openLogs } from '../../host/logs/logs.ts';
import { systemClock } from '../../runtime/clock.ts';
import { FunctionLog } from '../../runtime/logs/function-log.ts';
import { forgetPeak, peakResidentMib, residentMib } from '../support/machine.ts';
import { group, scope } from './support.ts';

const MIB = 1024 * 1024;
const LINE = Buffer.from(`${'x'.repeat(199)}\n`);
const READ_LINES = 320;
const READ_BYTES = READ_LINES * LINE.length;
const WARM_UP_BYTES = 2 * MIB;

const [, , dir = '', way = '', readsAtOnce = ''] = process.argv;
await using logs = await openLogs({ dir, clock: systemClock, flushMs: 20 });
using log = new FunctionLog({
  sink: logs.openStream(scope, group, 's'),
  format: 'Text',
  applicationLogLevel: 'TRACE',
  epochMs: () => systemClock.epochMs(),
  pauseReading: () => {}, // the flood is to come as fast as it can
});

/** Each time new memory, as what is read from a socket is. */
const writeRead: Record<string, () => void> = {
  raw: () => log.raw(1, Buffer.alloc(READ_BYTES, LINE)),
  events: () => {
    const read = Buffer.alloc(READ_BYTES, LINE);
    for (let at = 0; at < READ_BYTES; at += LINE.length)
      log.event(1, read.subarray(at, at + LINE.length));
  },
  text: () => {
    for (let n = 0; n < READ_LINES; n += 1) log.platform(1, LINE.toString('latin1'));
  },
};
const write = writeRead[way];
if (write === undefined) throw new Error(`there is no way '${way}'`);

async function flood(bytes: number, atOnce: number): Promise<void> {
  for (let written = 0; written < bytes; written += atOnce * READ_BYTES) {
    for (let n = 0; n < atOnce; n += 1) write?.();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

await flood(WARM_UP_BYTES, 1);
await logs.flush();
forgetPeak(process.pid);
const beforeMib = residentMib(process.pid);
await flood(1024 * MIB, Number(readsAtOnce));
const heldMib = process.memoryUsage().arrayBuffers / MIB;
await logs.flush();
const grownMib = peakResidentMib(process.pid) - beforeMib;
process.stdout.write(JSON.stringify({ grownMib, heldMib, droppedEvents: logs.droppedEvents }));
