// Unpacks a package that takes a while into the code directory it is given; crash.test.ts kills it meanwhile.
import assert from 'node:assert/strict';
import { zip } from '../support/zip-writer.ts';
import { openPlace } from './place.ts';

const files = Array.from({ length: 60_000 }, (_, k) => ({ name: `d${k % 100}/f${k}`, method: 0 }));
const archive = zip(files);
const codeDir = process.argv[2];
assert(codeDir !== undefined, 'usage: add-until-killed.ts CODE_DIR');
await using place = await openPlace({ codeDir });
console.log('ready');
await place.packages.add(archive);
