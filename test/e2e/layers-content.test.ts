// What stands in /opt: read-only, there in time, and changed with the list of layers.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { PublishVersionCommand } from '@aws-sdk/client-lambda';
import { manyModulesFiles } from '../support/bundle-fixtures.ts';
import { result } from '../support/function-answers.ts';
import { evaluating } from '../support/functions.ts';
import { publishLayer } from '../support/layers.ts';
import { startTestHost } from '../support/test-host.ts';
import { updated } from '../support/versions.ts';

suite('What layers hold', () => {
  test('stands in /opt, where nothing can be written, removed or added', async () => {
    await using t = await startTestHost();
    const layer = await publishLayer(t.client, 'files', {
      'file.txt': 'as published',
      'folder/inner.txt': 'inner',
    });
    await t.deploy('f', evaluating, { Layers: [layer] });
    const fs = 'require("fs")';
    const refusal = (call: string) =>
      `(() => { try { ${fs}.${call}; return 'done'; } catch (error) { return error.code; } })()`;
    const [opt] = (await result(
      t,
      'f',
      '[process.env.PATH.split(":").at(-1).replace("/bin", "")]',
    )) as [string]; // as: what was asked for
    const calls = [
      `writeFileSync('${opt}/file.txt', 'other')`,
      `writeFileSync('${opt}/new.txt', '')`,
      `writeFileSync('${opt}/folder/new.txt', '')`,
      `unlinkSync('${opt}/file.txt')`,
      `rmdirSync('${opt}/folder')`,
      `renameSync('${opt}/folder', '${opt}/other')`,
      `chmodSync('${opt}/file.txt', 0o777)`,
    ];
    for (const call of calls)
      assert.match(String(await result(t, 'f', refusal(call))), /^(EROFS|EACCES|EPERM)$/, call);
    const content = `${fs}.readFileSync('${opt}/file.txt', 'utf8')`;
    assert.equal(await result(t, 'f', content), 'as published');
    assert.deepEqual(await result(t, 'f', `${fs}.readdirSync('${opt}').sort()`), [
      'file.txt',
      'folder',
    ]);
  });

  test('is there before variables act that name it', async () => {
    await using t = await startTestHost();
    const layer = await publishLayer(t.client, 'preload', {
      'preload.cjs': 'globalThis.preloaded = "before the handler";',
    });
    await t.deploy(
      'f',
      { 'index.mjs': 'export const handler = async () => globalThis.preloaded;' },
      {
        Layers: [layer],
        Environment: { Variables: { NODE_OPTIONS: '--require /opt/preload.cjs' } },
      },
    );
    assert.equal(await result(t, 'f'), 'before the handler');
  });

  test('may be a handler itself, and a large tree of packages', async () => {
    await using t = await startTestHost();
    const modules = Object.entries(await manyModulesFiles());
    const layer = await publishLayer(
      t.client,
      'many',
      Object.fromEntries(modules.map(([path, file]) => [`nodejs/${path}`, file])),
    );
    assert.ok(modules.length > 200, `${modules.length} files`);
    const handlers = [
      ['in-layer', { 'nothing.txt': '' }, '/opt/nodejs/index.handler'],
      ['own', { 'index.mjs': "export { handler } from '/opt/nodejs/index.mjs';" }, 'index.handler'],
    ] as const;
    for (const [name, files, Handler] of handlers) {
      await t.deploy(name, files, { Layers: [layer], Handler });
      const answer = await result(t, name, { from: '2026-01-31', days: 30 });
      assert.deepEqual(answer, { end: '2026-03-02', days: 30 }, name);
    }
  });

  test('changes with the list, and goes with an empty one', async () => {
    await using t = await startTestHost();
    const one = await publishLayer(t.client, 'l', { 'version.txt': 'one' });
    const two = await publishLayer(t.client, 'l', { 'version.txt': 'two' });
    const ask =
      '(() => { try { return require("fs").readFileSync("/opt/version.txt", "utf8") } catch (error) { return error.code } })()';
    await t.deploy('f', evaluating);
    assert.equal(await result(t, 'f', ask), 'ENOENT');
    await updated(t.client, 'f', { Layers: [one] });
    assert.equal(await result(t, 'f', ask), 'one');
    await t.client.send(new PublishVersionCommand({ FunctionName: 'f' }));
    await updated(t.client, 'f', { Layers: [two] });
    assert.equal(await result(t, 'f', ask), 'two');
    await updated(t.client, 'f', { Layers: [] });
    assert.equal(await result(t, 'f', ask), 'ENOENT');
    const published = await t.invoke('f', ask, { Qualifier: '1' });
    assert.equal(published.payload, 'one');
  });
});
