// What a function finds of its layers: packages and programs, in their order, whatever keeps it apart from the host.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { result } from '../support/function-answers.ts';
import { evaluating } from '../support/functions.ts';
import { commonJsPackage, esPackage, packageFiles, publishLayer } from '../support/layers.ts';
import { startTestHost } from '../support/test-host.ts';

const isolations = [
  ['in the strongest isolation of this machine', []],
  ['without isolation', ['--isolation', 'off']],
] as const;

for (const [title, args] of isolations)
  suite(`A function with layers, ${title},`, () => {
    test('finds their packages by require and import', async () => {
      await using t = await startTestHost({ args });
      const layer = await publishLayer(t.client, 'packages', {
        ...packageFiles(
          'nodejs/node_modules',
          'greeter',
          'commonjs',
          'exports.greeting = "hello";',
        ),
        ...esPackage('modern', '"modern"'),
        ...esPackage('@scope/inner', '"scoped"'),
        ...packageFiles(
          'nodejs/node_modules',
          'outer',
          'module',
          `import inner from '@scope/inner'; export default inner + ' inside';`,
        ),
      });
      await t.deploy(
        'f',
        {
          'index.mjs': `
            import { greeting } from 'greeter';
            import modern from 'modern';
            import outer from 'outer';
            import { createRequire } from 'node:module';
            const require = createRequire(import.meta.url);
            export const handler = async () => ({
              greeting,
              modern,
              outer,
              required: require('greeter').greeting,
              later: (await import('modern')).default,
              missing: await import('nowhere').catch((error) => error.code + ' ' + error.message),
              file: await import('./nowhere.mjs').catch((error) => error.code),
            });`,
        },
        { Layers: [layer] },
      );
      const found = await result(t, 'f');
      const { missing, ...rest } = found as { missing: string }; // as: what the handler returns
      assert.match(
        missing,
        /^ERR_MODULE_NOT_FOUND Cannot find package 'nowhere' imported from .*var\/task\/index.mjs$/,
      );
      assert.deepEqual(rest, {
        greeting: 'hello',
        modern: 'modern',
        outer: 'scoped inside',
        required: 'hello',
        later: 'modern',
        file: 'ERR_MODULE_NOT_FOUND',
      });
    });

    test('has a later layer in place of an earlier one, file by file', async () => {
      await using t = await startTestHost({ args });
      const first = await publishLayer(t.client, 'first', {
        ...commonJsPackage('which', '"first"'),
        ...commonJsPackage('only-first', '"only first"'),
      });
      const second = await publishLayer(t.client, 'second', {
        ...commonJsPackage('which', '"second"'),
        'data/second.txt': 'second',
      });
      const ask =
        '[require("which"), require("only-first"), require("fs").readdirSync(process.env.NODE_PATH.split("/nodejs")[0]).sort()]';
      for (const [Layers, expected] of [
        [[first, second], 'second'],
        [[second, first], 'first'],
      ] as const) {
        const name = `by-${expected}`;
        await t.deploy(name, evaluating, { Layers: [...Layers] });
        assert.deepEqual(await result(t, name, ask), [expected, 'only first', ['data', 'nodejs']]);
      }
    });

    test('prefers packages for its own version of Node, and its own to both', async () => {
      await using t = await startTestHost({ args });
      const layer = await publishLayer(t.client, 'versions', {
        ...commonJsPackage('which', '"any"'),
        ...commonJsPackage('own', '"layer"'),
        ...packageFiles('nodejs/node24/node_modules', 'which', 'commonjs', 'module.exports = "24"'),
      });
      const own = packageFiles('node_modules', 'own', 'commonjs', 'module.exports = "function"');
      await t.deploy('f', { ...evaluating, ...own }, { Layers: [layer] });
      const ask =
        '[require("which"), (await load("which")).default, require("own"), (await load("own")).default]';
      assert.deepEqual(await result(t, 'f', ask), ['24', '24', 'function', 'function']);
    });

    test('starts their programs by name', async () => {
      await using t = await startTestHost({ args });
      const tool = { content: '#!/bin/sh\necho "tool says $1"\n', mode: 0o755 };
      const layer = await publishLayer(t.client, 'tools', {
        'bin/lambkin-tool': tool,
        'bin/plain-file': 'no program',
      });
      await t.deploy('f', evaluating, { Layers: [layer] });
      const run = (name: string) =>
        `require("child_process").spawnSync(${JSON.stringify(name)}, ["hello"], { encoding: "utf8" })`;
      assert.equal(await result(t, 'f', `${run('lambkin-tool')}.stdout`), 'tool says hello\n');
      assert.equal(await result(t, 'f', `${run('plain-file')}.error.code`), 'EACCES');
    });
  });
