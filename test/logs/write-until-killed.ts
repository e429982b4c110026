// Started by recovery.test.ts: writes numbered events for ever and prints the number up to which they have been flushed.
import { openLogs } from '../../host/logs/logs.ts';
import { group, scope } from './support.ts';

const [dir] = process.argv.slice(2);
if (dir === undefined) throw new Error('usage: write-until-killed.ts DIR');
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const logs = await openLogs({ dir, clock, flushMs: 1 });
const stream = logs.openStream(scope, group, 's');
for (let n = 0; ; ) {
  for (let k = 0; k < 500; k += 1) stream.write((n += 1), `event ${n} ${'x'.repeat((n - 1) % 97)}`);
  await logs.flush();
  console.log(n);
}
