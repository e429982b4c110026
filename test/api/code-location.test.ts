// The link to a function's package: for anyone, for ten minutes.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  DeleteFunctionCommand,
  GetFunctionCommand,
  UpdateFunctionCodeCommand,
} from '@aws-sdk/client-lambda';
import { systemClock } from '../../runtime/clock.ts';
import { zipOf } from '../support/bundle-fixtures.ts';
import { returning } from '../support/functions.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

async function locationOf(t: TestHost, Qualifier?: string): Promise<string> {
  const { Code } = await t.client.send(new GetFunctionCommand({ FunctionName: 'f', Qualifier }));
  assert.ok(Code?.Location);
  return Code.Location;
}

async function download(url: string) {
  const response = await fetch(url);
  return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
}

suite('Code.Location', () => {
  test('gives exactly the bytes that were uploaded, to a plain GET without headers', async () => {
    await using t = await startTestHost();
    const files = { ...returning('1'), 'data.bin': '\u0000\u0001 text' };
    await t.deploy('f', files);
    const { status, bytes } = await download(await locationOf(t));
    assert.equal(status, 200);
    assert.ok(bytes.equals(await zipOf(files)));
  });

  test('is that of each version', async () => {
    await using t = await startTestHost();
    const [first, second] = [await zipOf(returning('1')), await zipOf(returning('2'))];
    await t.deploy('f', returning('1'), { Publish: true });
    await t.client.send(new UpdateFunctionCodeCommand({ FunctionName: 'f', ZipFile: second }));
    assert.ok((await download(await locationOf(t))).bytes.equals(second));
    assert.ok((await download(await locationOf(t, '1'))).bytes.equals(first));
  });

  test('holds for ten minutes and no longer', async () => {
    let aheadMs = 0;
    const clock = { ...systemClock, epochMs: () => systemClock.epochMs() + aheadMs };
    await using t = await startTestHost({ clock });
    await t.deploy('f', returning('1'));
    const location = await locationOf(t);
    aheadMs = 590_000;
    assert.equal((await download(location)).status, 200);
    aheadMs = 601_000;
    assert.equal((await download(location)).status, 403);
  });

  test('is refused with any part of it changed', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const { href, origin, pathname } = new URL(await locationOf(t));
    const tampered = [
      href.replace(/\/code\/./, (start) => (start.endsWith('0') ? '/code/1' : '/code/0')),
      href.replace(/Expires=\d/, 'Expires=9'),
      href.slice(0, -1),
      `${href}&more=1`,
      `${href}A`,
      `${origin}${pathname}`,
      `${origin}/_lambkin/code/../../etc/passwd`,
    ];
    for (const url of tampered) {
      assert.notEqual(url, href);
      const { status, bytes } = await download(url);
      assert.ok(status === 404 || status === 403, `${status} ${url}`);
      assert.ok(bytes.length < 500);
    }
  });

  test('of a deleted function gives the package or nothing, never another', async () => {
    await using t = await startTestHost();
    await t.deploy('f', returning('1'));
    const location = await locationOf(t);
    await t.client.send(new DeleteFunctionCommand({ FunctionName: 'f' }));
    const { status, bytes } = await download(location);
    assert.ok(status === 404 || bytes.equals(await zipOf(returning('1'))));
  });
});
