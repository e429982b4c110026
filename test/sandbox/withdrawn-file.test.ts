// The number through which events are withdrawn: the function's side sees each write of the host at once and cannot write itself.
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { suite, test } from 'node:test';
import type { IsolationTier } from '../../runtime/sandbox/sandbox.ts';
import { writeWithdrawn } from '../../runtime/slots/withdrawn-file.ts';
import { openTestHost, type TestSlot, tierOptions, unlessTier } from './slot.ts';

/** Ways to change the file, by its name and by a descriptor that is open for reading; each tells how it ended. */
const ATTEMPTS = `const own = fs.openSync(file, 'r');
const reopened = '/proc/self/fd/' + own;
const ways = {
  write: () => fs.writeFileSync(file, 'x'),
  append: () => fs.appendFileSync(file, 'x'),
  truncate: () => fs.truncateSync(file, 0),
  remove: () => fs.unlinkSync(file),
  replace: () => fs.renameSync(file, file + '.old'),
  mode: () => fs.chmodSync(file, 0o777),
  modeByDescriptor: () => fs.fchmodSync(own, 0o777),
  ownerByDescriptor: () => fs.fchownSync(own, os.userInfo().uid, os.userInfo().gid),
  writeByDescriptor: () => fs.writeSync(own, 'x'),
  truncateByDescriptor: () => fs.ftruncateSync(own, 0),
  openAgain: () => fs.writeFileSync(reopened, 'x', { flag: 'r+' }),
};
return Object.keys(ways).filter((name) => attempt(() => (ways[name](), true)) === true);`;

const within = (slot: TestSlot, code: string) =>
  slot.run(`const file = ${JSON.stringify(slot.sandbox.paths.withdrawnFile)}; ${code}`);

const read = (slot: TestSlot) =>
  within(slot, `return Number(fs.readFileSync(file).readBigUInt64LE(0))`);

for (const tier of [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[])
  suite(`the number of withdrawn events in tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    test('is seen as it was last written', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      await using slot = await host.start();
      assert.equal(await read(slot), 0);
      for (const upTo of [3, 2 ** 32 + 1, 2 ** 40]) {
        writeWithdrawn(slot.sandbox.withdrawnFile, upTo);
        assert.equal(await read(slot), upTo);
      }
    });

    if (tier !== 'none')
      test('cannot be changed by the function', async () => {
        await using host = await openTestHost(tierOptions[tier]);
        await using slot = await host.start();
        assert.deepEqual(await within(slot, ATTEMPTS), []);
        assert.equal(await read(slot), 0);
      });

    // As where the host is not root: the file's owner is the user of the function.
    if (tier === 'full' || tier === 'partial')
      test('cannot be changed even if its mode and its owner allow it', async () => {
        await using host = await openTestHost(tierOptions[tier]);
        await using slot = await host.start();
        chmodSync(slot.sandbox.withdrawnFile, 0o666);
        assert.deepEqual(await within(slot, ATTEMPTS), []);
        assert.equal(await read(slot), 0);
      });
  });
