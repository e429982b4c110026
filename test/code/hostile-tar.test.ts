// Tar archives, gzipped or not, go by the rules of zip archives.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { pax, type TarEntry, tar } from '../support/tar-writer.ts';
import { openPlace, refusal } from './place.ts';

const x = (name: string, entry: Partial<TarEntry> = {}): TarEntry => ({
  content: 'x',
  ...entry,
  name,
});
const special = (type: string): Uint8Array => tar([{ name: 'a', type }]);
const link = (name: string, linkTarget: string, type = '2'): TarEntry => ({
  name,
  type,
  linkTarget,
});

const cases: readonly (readonly [title: string, archive: Uint8Array, reason: RegExp])[] = [
  ['a climbing name', tar([x('../x')]), /dot segment/],
  ['a climb after the dot that is allowed', tar([x('./../x')]), /dot segment/],
  ['an absolute name', tar([x('/etc/passwd')]), /absolute name/],
  ['a backslash', tar([x('a\\b')]), /backslash/],
  ['a control character', tar([x('a\nb')]), /control character/],
  ['a climbing name in a pax header', tar([pax({ path: '../../x' }), x('a')]), /dot segment/],
  ['a name not in UTF-8', tar([{ name: Buffer.from([0x61, 0xff]), content: 'x' }]), /UTF-8/],
  ['the same name twice', tar([x('a'), x('./a')]), /duplicate name/],
  ['two normal forms', tar([x('caf\u00e9'), x('cafe\u0301')]), /duplicate name/],
  ['a file, then below it', tar([x('a'), x('a/b')]), /a file used as a directory/],
  ['a file through a link', tar([link('a', 'b'), x('b/c'), x('a/y')]), /a symlink used as/],
  ['a character device', special('3'), /CharacterDevice/],
  ['a block device', special('4'), /BlockDevice/],
  ['a FIFO', special('6'), /FIFO/],
  ['an unknown type', special('Q'), /tar entry of type|TAR_ENTRY/],
  ['a sparse file', special('S'), /tar entry of type/],
  ['a symbolic link out', tar([link('a', '../x')]), /out of the package/],
  ['an absolute symbolic link', tar([link('a', '/etc')]), /absolute symbolic link/],
  [
    'a symbolic link in a pax header',
    tar([pax({ linkpath: '../../x' }), link('a', 'b')]),
    /out of the package/,
  ],
  ['a hard link out', tar([link('a', '../../etc/passwd', '1')]), /hard link to what is not/],
  ['an absolute hard link', tar([link('a', '/etc/passwd', '1')]), /hard link to what is not/],
  ['a hard link to a later file', tar([link('a', 'b', '1'), x('b')]), /hard link to what is not/],
  [
    'a hard link to a symbolic link',
    tar([x('b'), link('s', 'b'), link('a', 's', '1')]),
    /hard link to what is not/,
  ],
  ['a damaged header', damaged(tar([x('a'), x('b')])), /checksum failure/],
  [
    'content cut short',
    tar([x('a', { declaredSize: 5000 })], { endMark: false }),
    /Truncated input/,
  ],
];

test('hostile tars are refused and leave nothing', async (t) => {
  await using place = await openPlace();
  for (const [title, archive, reason] of cases) {
    await t.test(title, async () => assert.match(await refusal(place, archive), reason));
  }
});

test('hostile tars are refused when gzipped', async (t) => {
  await using place = await openPlace();
  const good = gzipSync(tar([x('a', { content: 'abc'.repeat(10_000) })]));
  const gzipped: readonly (readonly [string, Uint8Array, RegExp])[] = [
    ['a climbing name', gzipSync(tar([x('../x')])), /dot segment/],
    ['gzip in gzip', gzipSync(good), /compressed more than once/],
    ['cut short', good.subarray(0, good.length / 2), /unexpected end of file/],
    ['damaged', damaged(good), /incorrect|invalid/],
    ['no tar inside', gzipSync(Buffer.from('hello'.repeat(1000))), /checksum failure|Unrecognized/],
  ];
  for (const [title, archive, reason] of gzipped) {
    await t.test(title, async () => assert.match(await refusal(place, archive), reason));
  }
});

test('a tar of nothing but its root is refused in the words of an empty zip', async () => {
  await using place = await openPlace();
  const text = 'Uploaded file must be a non-empty zip';
  const root = gzipSync(tar([{ name: './', type: '5' }]));
  assert.match(await refusal(place, root, text), /no entries/);
});

test('tar bombs end at the limit', async (t) => {
  const limits = { maxUnzippedBytes: 1_000_000, maxEntries: 100, maxNameBytes: 1024, maxDepth: 64 };
  await using place = await openPlace({ limits });
  const text = 'Unzipped size must be smaller than 262144000 bytes';
  const zeros = Buffer.alloc(20_000_000);
  await t.test('in one file', async () => {
    const archive = gzipSync(tar([x('a', { content: zeros })]));
    assert.match(await refusal(place, archive, text), /more than 1000000 bytes/);
  });
  await t.test('in names for the same file', async () => {
    const copies = Array.from({ length: 20 }, (_, k) => link(`l${k}`, 'a', '1'));
    const archive = tar([x('a', { content: zeros.subarray(0, 100_000) }), ...copies]);
    assert.match(await refusal(place, archive, text), /more than 1000000 bytes/);
  });
  await t.test('after the end mark', async () => {
    const archive = gzipSync(Buffer.concat([tar([x('a')]), zeros]));
    assert.match(await refusal(place, archive, text), /a tar of more than/);
  });
});

function damaged(archive: Buffer): Buffer {
  const copy = Buffer.from(archive);
  copy.fill(0xa5, 20, 40);
  return copy;
}
