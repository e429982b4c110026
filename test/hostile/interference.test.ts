// See cases/interference.ts.
import { interference } from './cases/interference.ts';
import { testFamily } from './families.ts';

testFamily('interference', interference);
