// A function goes on with its layers when their versions are deleted, also on a host that has to unpack them again.
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { DeleteLayerVersionCommand } from '@aws-sdk/client-lambda';
import { dataDirectory } from '../support/data-directory.ts';
import { result } from '../support/function-answers.ts';
import { evaluating } from '../support/functions.ts';
import { commonJsPackage, publishLayer } from '../support/layers.ts';
import { startTestHost } from '../support/test-host.ts';
import { everythingOf, updated } from '../support/versions.ts';

const ask = '[require("one"), require("two")]';

test('Deleted layer versions serve the functions that have them, new environments and a restart too', async () => {
  await using dir = await dataDirectory();
  let before: unknown;
  {
    await using t = await startTestHost({ dataDir: dir.path });
    const one = await publishLayer(t.client, 'one', commonJsPackage('one', '1'));
    const two = await publishLayer(t.client, 'two', commonJsPackage('two', '2'));
    await t.deploy('f', evaluating, { Layers: [one, two] });
    assert.deepEqual(await result(t, 'f', ask), [1, 2]);
    for (const LayerName of ['one', 'two'])
      await t.client.send(new DeleteLayerVersionCommand({ LayerName, VersionNumber: 1 }));
    await updated(t.client, 'f', { Description: 'so that it gets new environments' });
    assert.deepEqual(await result(t, 'f', ask), [1, 2]);
    before = await everythingOf(t.client);
  }
  // Trees are a cache: without them the layers are laid together again from what is stored.
  await rm(path.join(dir.path, 'code', 'trees'), { recursive: true });
  await using t = await startTestHost({ dataDir: dir.path });
  assert.deepEqual(await everythingOf(t.client), before);
  assert.deepEqual(await result(t, 'f', ask), [1, 2]);
  assert.deepEqual(t.reports, []);
});
