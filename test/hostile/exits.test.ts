// See cases/exits.ts, cases/answers.ts and cases/files.ts; most of them have tests elsewhere, so one host does for the rest.
import { answers } from './cases/answers.ts';
import { ends } from './cases/exits.ts';
import { files } from './cases/files.ts';
import { testFamily } from './families.ts';

testFamily('exits, answers, files', [...ends, ...answers, ...files]);
