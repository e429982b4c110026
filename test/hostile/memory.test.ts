// See cases/memory.ts.
import { memory } from './cases/memory.ts';
import { testFamily } from './families.ts';

testFamily('memory', memory);
