import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { fromBufferPromise } from 'yauzl';
import { awsSdkAndZodZip, manyModulesZip, zipDirectory, zipOf } from './bundle-fixtures.ts';

interface UnzippedFile {
  readonly content: Buffer;
  readonly mode: number;
}

async function unzip(zip: Buffer): Promise<ReadonlyMap<string, UnzippedFile>> {
  const archive = await fromBufferPromise(zip);
  const files = new Map<string, UnzippedFile>();
  for await (const entry of archive.eachEntry()) {
    const content = await buffer(await archive.openReadStreamPromise(entry));
    files.set(entry.fileName, { content, mode: entry.externalFileAttributes >>> 16 });
  }
  return files;
}

async function temporaryDirectory() {
  const dir = await mkdtemp(join(tmpdir(), 'lambkin-bundle-'));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** Calls `index.handler` in a Node process that knows nothing but the unpacked archive. */
async function call(zip: Buffer, events: readonly unknown[]): Promise<readonly unknown[]> {
  await using place = await temporaryDirectory();
  for (const [name, { content }] of await unzip(zip)) {
    const path = join(place.dir, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const script = `
    const { handler } = await import(process.argv[1]);
    const results = [];
    for (const event of JSON.parse(process.argv[2])) results.push(await handler(event));
    console.log(JSON.stringify(results));`;
  const index = (await unzip(zip)).has('index.js') ? 'index.js' : 'index.mjs';
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', script, join(place.dir, index), JSON.stringify(events)],
    { cwd: place.dir, env: {} },
  );
  const results: unknown = JSON.parse(stdout);
  assert.ok(Array.isArray(results));
  return results;
}

test('the bundle with the AWS SDK and zod validates its event and signs a request', async () => {
  const zip = await awsSdkAndZodZip();
  const results = await call(zip, [{ bucket: 'my-bucket', key: 'a b/c' }, { bucket: 'x' }]);
  assert.deepEqual(results[1], { valid: false, issues: ['bucket', 'key'] });
  const { authorization, ...request } = Object(results[0]);
  assert.deepEqual(request, {
    valid: true,
    method: 'GET',
    hostname: 'my-bucket.s3.eu-west-1.amazonaws.com',
    path: '/a%20b/c',
  });
  assert.match(
    authorization,
    /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/DATE\/eu-west-1\/s3\/aws4_request, SignedHeaders=[a-z0-9;-]*host[a-z0-9;-]*, Signature=SIGNATURE$/,
  );
});

test('the function of many modules has more than 200 files and computes with them', async () => {
  const zip = await manyModulesZip();
  const files = [...(await unzip(zip)).keys()];
  const modules = files.filter((name) => name.startsWith('node_modules/'));
  assert.ok(modules.length >= 200, `${modules.length} files`);
  assert.ok(zip.length < 50 * 1024 * 1024);
  assert.deepEqual(await call(zip, [{ from: '2024-02-28', days: 2 }]), [
    { end: '2024-03-01', days: 2 },
  ]);
});

test('a zip holds what it was given, with modes, and is the same each time', async () => {
  const files = {
    'index.mjs': 'export {}',
    'bin/run': { content: '#!/bin/sh\n', mode: 0o755 },
    'data.bin': Buffer.from([0, 255]),
  };
  const zip = await zipOf(files);
  assert.deepEqual(zip, await zipOf(files));
  const found = await unzip(zip);
  assert.deepEqual([...found.keys()], Object.keys(files));
  assert.equal(found.get('index.mjs')?.mode, 0o100644);
  assert.equal(found.get('bin/run')?.mode, 0o100755);
  assert.deepEqual(found.get('data.bin')?.content, Buffer.from([0, 255]));
});

test('a zip of a directory keeps paths and the executable bit', async () => {
  await using place = await temporaryDirectory();
  await mkdir(join(place.dir, 'lib'));
  await writeFile(join(place.dir, 'lib/a.txt'), 'a');
  await writeFile(join(place.dir, 'bootstrap'), '#!/bin/sh\n');
  await chmod(join(place.dir, 'bootstrap'), 0o755);
  const found = await unzip(await zipDirectory(place.dir));
  assert.deepEqual([...found.keys()], ['bootstrap', 'lib/a.txt']);
  assert.equal(found.get('bootstrap')?.mode, 0o100755);
  assert.equal(found.get('lib/a.txt')?.content.toString(), 'a');
});
