// See cases/time.ts.
import { time } from './cases/time.ts';
import { testFamily } from './families.ts';

testFamily('time', time);
