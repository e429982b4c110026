// zip -q ARCHIVE FILE ...: writes the files into a new archive, as README's walk does.
import { readFileSync, writeFileSync } from 'node:fs';
import { zipOf } from '../bundle-fixtures.ts';

const [archive, ...files] = process.argv.slice(2).filter((word) => word !== '-q');
if (archive === undefined || files.length === 0) throw new Error('usage: zip -q ARCHIVE FILE ...');
writeFileSync(
  archive,
  await zipOf(Object.fromEntries(files.map((name) => [name, readFileSync(name)]))),
);
