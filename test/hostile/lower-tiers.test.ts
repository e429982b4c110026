// What the weaker tiers hold as well: deadline, memory, exits, descriptors, the runtime's socket, the host's variables.
import { unlessTier } from '../sandbox/slot.ts';
import { TIERS } from './case.ts';
import { allCases } from './cases/all.ts';
import { testCases } from './families.ts';

const everywhere = allCases.filter(({ everyTier }) => everyTier === true);

for (const tier of TIERS.slice(1))
  testCases(`a hostile function in tier ${tier}`, tier, everywhere, {
    skip: await unlessTier(tier),
  });
