// See cases/processes.ts.
import { processes } from './cases/processes.ts';
import { testFamily } from './families.ts';

testFamily('processes', processes);
