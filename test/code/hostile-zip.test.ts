// Zip archives that must be refused in the service's words, for the right reason, with nothing left behind.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';
import { type ZipEntry, type ZipOptions, zip } from '../support/zip-writer.ts';
import { openPlace, refusal } from './place.ts';

interface Case {
  readonly title: string;
  readonly archive: Uint8Array;
  readonly reason: RegExp;
}

const file = { content: 'x' };
const utf8 = (name: string, entry: Partial<ZipEntry> = {}): ZipEntry => ({
  ...file,
  ...entry,
  name,
});
const link = (name: string, target: string): ZipEntry => ({
  name,
  content: target,
  mode: 0o120777,
});
const one = (entry: ZipEntry, options?: ZipOptions): Uint8Array => zip([entry], options);
const good = zip([utf8('index.mjs', { content: 'export const handler = () => 1;'.repeat(20) })]);

const names: readonly Case[] = [
  { title: 'NUL', archive: one(utf8('a\0.js')), reason: /NUL in a name/ },
  { title: 'a line feed', archive: one(utf8('a\nb')), reason: /control character in a name/ },
  { title: 'DEL', archive: one(utf8('a\x7fb')), reason: /control character in a name/ },
  { title: 'a C1 control', archive: one(utf8('a\u0085b')), reason: /control character in a name/ },
  {
    title: 'a control byte that code page 437 would print',
    archive: one({ ...file, name: Buffer.from([0x61, 0x1b, 0x62]), flags: 0 }),
    reason: /control character in a name/,
  },
  { title: 'a backslash', archive: one(utf8('a\\b.js')), reason: /backslash/ },
  { title: 'a backslash that climbs', archive: one(utf8('..\\..\\etc')), reason: /backslash/ },
  { title: 'a drive', archive: one(utf8('C:/x')), reason: /drive letter/ },
  { title: 'an absolute path', archive: one(utf8('/etc/passwd')), reason: /absolute name/ },
  { title: 'two leading slashes', archive: one(utf8('//x')), reason: /absolute name/ },
  { title: 'a climb at the start', archive: one(utf8('../x')), reason: /dot segment/ },
  { title: 'a climb in the middle', archive: one(utf8('a/../../x')), reason: /dot segment/ },
  { title: 'a climb at the end', archive: one(utf8('a/..')), reason: /dot segment/ },
  { title: 'a climbing directory', archive: one({ name: '../' }), reason: /dot segment/ },
  { title: 'a single dot', archive: one(utf8('./x')), reason: /dot segment/ },
  { title: 'an empty segment', archive: one(utf8('a//x')), reason: /empty segment/ },
  { title: 'nothing', archive: one(utf8('')), reason: /empty segment/ },
  { title: 'only a slash', archive: one({ name: '/' }), reason: /empty segment/ },
  {
    title: '1,025 bytes',
    archive: one(utf8(`${`${'a'.repeat(200)}/`.repeat(5)}${'b'.repeat(20)}`)),
    reason: /name too long/,
  },
  {
    title: 'a segment of 256 bytes',
    archive: one(utf8('a'.repeat(256))),
    reason: /segment too long/,
  },
  { title: '65 segments', archive: one(utf8(`${'d/'.repeat(64)}x`)), reason: /too deep/ },
  {
    title: 'bytes that are not the UTF-8 they are said to be',
    archive: one({ ...file, name: Buffer.from([0x61, 0xff, 0x62]) }),
    reason: /not in UTF-8/,
  },
  {
    title: 'a Unicode path field that climbs',
    archive: one(utf8('harmless', { flags: 0, extra: unicodePath('harmless', '../evil') })),
    reason: /dot segment/,
  },
];

const clashes: readonly Case[] = [
  { title: 'the same name twice', archive: zip([utf8('a'), utf8('a')]), reason: /duplicate name/ },
  {
    title: 'one name in two normal forms',
    archive: zip([utf8('caf\u00e9'), utf8('cafe\u0301')]),
    reason: /duplicate name/,
  },
  {
    title: 'one directory in two normal forms',
    archive: zip([utf8('caf\u00e9/a'), utf8('cafe\u0301/b')]),
    reason: /duplicate name after normalisation/,
  },
  {
    title: 'a file, then below it',
    archive: zip([utf8('a'), utf8('a/b')]),
    reason: /a file used as a directory/,
  },
  {
    title: 'a directory, then a file',
    archive: zip([utf8('a/b'), utf8('a')]),
    reason: /both a file and a directory/,
  },
  {
    title: 'a file, then a directory entry',
    archive: zip([utf8('a'), { name: 'a/' }]),
    reason: /a file used as/,
  },
  {
    title: 'a link and a file',
    archive: zip([link('a', 'b'), utf8('a')]),
    reason: /duplicate name/,
  },
  {
    title: 'a file through a link',
    archive: zip([link('a', 'b'), utf8('b/x'), utf8('a/y')]),
    reason: /a symlink used as/,
  },
  {
    title: 'a link where files went',
    archive: zip([utf8('a/y'), link('a', 'b')]),
    reason: /both a file and a directory/,
  },
];

const links: readonly Case[] = [
  { title: 'absolute', archive: one(link('a', '/etc/passwd')), reason: /absolute symbolic link/ },
  { title: 'climbing', archive: one(link('a', '../x')), reason: /out of the package/ },
  {
    title: 'climbing from below',
    archive: one(link('d/a', '../../x')),
    reason: /out of the package/,
  },
  {
    title: 'down and up again',
    archive: one(link('a', 'b/../../x')),
    reason: /out of the package/,
  },
  {
    title: 'climbing through another link',
    archive: zip([link('p/q/a', '../..'), link('p/q/d', 'a/../x')]),
    reason: /out of the package/,
  },
  {
    title: 'climbing through a link that comes later',
    archive: zip([link('p/q/d', 'a/../x'), link('p/q/a', '../..')]),
    reason: /out of the package/,
  },
  { title: 'a circle', archive: zip([link('a', 'b'), link('b', 'a')]), reason: /in a circle/ },
  { title: 'itself', archive: one(link('a', 'a')), reason: /in a circle/ },
  { title: 'no target', archive: one(link('a', '')), reason: /without a target/ },
  { title: 'NUL in the target', archive: one(link('a', 'b\0c')), reason: /control character/ },
  {
    title: 'an endless target',
    archive: one(link('a', 'x'.repeat(4_000_000))),
    reason: /too long/,
  },
  { title: 'with a directory name', archive: one(link('a/', 'b')), reason: /contradiction/ },
];

const kinds: readonly Case[] = [
  { title: 'a FIFO', archive: one(utf8('a', { mode: 0o010644 })), reason: /device, pipe/ },
  {
    title: 'a character device',
    archive: one(utf8('a', { mode: 0o020644 })),
    reason: /device, pipe/,
  },
  { title: 'a block device', archive: one(utf8('a', { mode: 0o060644 })), reason: /device, pipe/ },
  { title: 'a socket', archive: one(utf8('a', { mode: 0o140644 })), reason: /device, pipe/ },
  {
    title: 'a directory with content',
    archive: one({ name: 'a/', content: 'x' }),
    reason: /directory with content/,
  },
  { title: 'an encrypted entry', archive: one(utf8('a', { flags: 0x801 })), reason: /encrypted/ },
  { title: 'strong encryption', archive: one(utf8('a', { flags: 0x841 })), reason: /encryption/ },
  { title: 'bzip2', archive: one(utf8('a', { method: 12 })), reason: /compression method 12/ },
  { title: 'Zstandard', archive: one(utf8('a', { method: 93 })), reason: /compression method 93/ },
];

const large = Buffer.alloc(3_000_000, 'abc');
const lies: readonly Case[] = [
  {
    title: 'a smaller size',
    archive: one(utf8('a', { content: 'x'.repeat(1000), declared: { uncompressedSize: 20 } })),
    reason: /Cannot create a Buffer|larger than|output/,
  },
  {
    title: 'a larger size',
    archive: one(utf8('a', { declared: { uncompressedSize: 20 } })),
    reason: /size is not as declared/,
  },
  {
    title: 'a smaller size of a large file',
    archive: one(utf8('a', { content: large, declared: { uncompressedSize: 2_000_000 } })),
    reason: /too many bytes/,
  },
  {
    title: 'a larger size of a large file',
    archive: one(utf8('a', { content: large, declared: { uncompressedSize: 4_000_000 } })),
    reason: /not enough bytes/,
  },
  {
    title: 'sizes that differ in a stored file',
    archive: one(utf8('a', { method: 0, declared: { uncompressedSize: 9 } })),
    reason: /size mismatch/,
  },
  {
    title: 'a packed size beyond the end',
    archive: one(utf8('a', { declared: { compressedSize: 100_000 } })),
    reason: /overflows file bounds/,
  },
  {
    title: 'the checksum',
    archive: one(utf8('a', { declared: { crc32: 1 } })),
    reason: /checksum/,
  },
  {
    title: 'the checksum of a large file',
    archive: one(utf8('a', { content: large, declared: { crc32: 1 } })),
    reason: /checksum/,
  },
  {
    title: 'the checksum of an empty file',
    archive: one({ name: 'a', declared: { crc32: 1 } }),
    reason: /checksum/,
  },
  {
    title: 'more entries',
    archive: one(utf8('a'), { declaredEntries: 2 }),
    reason: /invalid central directory|too early/,
  },
  {
    title: '100,001 entries',
    archive: one(utf8('a'), { declaredEntries: 100_001, zip64: true }),
    reason: /too many entries/,
  },
  {
    title: 'a directory beyond the end',
    archive: one(utf8('a'), { declaredOffset: 1_000_000 }),
    reason: /too early/,
  },
  {
    title: 'a directory in the data',
    archive: one(utf8('a'), { declaredOffset: 0 }),
    reason: /invalid central directory/,
  },
];

const structure: readonly Case[] = [
  { title: 'text', archive: Buffer.from('this is not a zip file'), reason: /signature not found/ },
  { title: 'one byte', archive: Buffer.from('P'), reason: /signature not found|too early/ },
  {
    title: 'only the first half',
    archive: good.subarray(0, good.length / 2),
    reason: /signature not found/,
  },
  {
    title: 'all but the last byte',
    archive: good.subarray(0, -1),
    reason: /signature not found|comment length/,
  },
  {
    title: 'bytes after the end',
    archive: Buffer.concat([good, Buffer.from('more')]),
    reason: /comment length/,
  },
  {
    title: 'bytes before that no offset counts',
    archive: Buffer.concat([Buffer.from('#!/bin/sh\n'), good]),
    reason: /invalid/,
  },
  {
    title: 'damaged content',
    archive: damaged(good),
    reason: /invalid|checksum|too far back|declared/,
  },
  {
    title: 'a broken extra field',
    archive: one(utf8('a', { extra: Buffer.from([1, 0, 99, 0]) })),
    reason: /extra field/,
  },
];

for (const [group, cases] of Object.entries({ names, clashes, links, kinds, lies, structure })) {
  test(`zips with hostile ${group} are refused and leave nothing`, async (t) => {
    await using place = await openPlace();
    for (const { title, archive, reason } of cases) {
      await t.test(title, async () => assert.match(await refusal(place, archive), reason));
    }
  });
}

test('empty zips are refused in words of their own', async (t) => {
  await using place = await openPlace();
  const text = 'Uploaded file must be a non-empty zip';
  await t.test('no bytes', async () => void (await refusal(place, new Uint8Array(), text)));
  await t.test('no entries', async () => void (await refusal(place, zip([]), text)));
});

test('an implied directory counts as an entry, so that deep names make no flood of inodes', async () => {
  const limits = { maxUnzippedBytes: 1000, maxEntries: 100, maxNameBytes: 1024, maxDepth: 64 };
  await using place = await openPlace({ limits });
  const deep = Array.from({ length: 4 }, (_, k) => utf8(`${k}/${'d/'.repeat(30)}x`));
  assert.match(await refusal(place, zip(deep)), /too many entries/);
});

function damaged(archive: Buffer): Buffer {
  const copy = Buffer.from(archive);
  copy.fill(0xa5, 45, 60);
  return copy;
}

function unicodePath(name: string, replacement: string): Buffer {
  const text = Buffer.from(replacement);
  const field = Buffer.alloc(9 + text.length);
  field.writeUInt16LE(0x7075, 0);
  field.writeUInt16LE(5 + text.length, 2);
  field.writeUInt8(1, 4);
  field.writeUInt32LE(crc32(name), 5);
  text.copy(field, 9);
  return field;
}
