// Functions for earlier versions of Node: on the Node that the machine has or that is installed for them, with its programming model.
import assert from 'node:assert/strict';
import { homedir } from 'node:os';
import path from 'node:path';
import { after, before, suite, test } from 'node:test';
import { findNodes } from '../../runtime/runtimes/node/find.ts';
import { failure, result } from '../support/function-answers.ts';
import { publishLayer } from '../support/layers.ts';
import { readLog } from '../support/read-log.ts';
import { startTestHost, type TestHost } from '../support/test-host.ts';

const places = {
  installDir: '/nowhere',
  searchPath: process.env['PATH'] ?? '',
  home: homedir(),
};
const [older] = await findNodes(places);

suite('an earlier Node', { skip: older === undefined && 'this machine has none' }, () => {
  const { major = 20, version = '', file = '' } = older ?? {};
  const Runtime = `nodejs${major}.x` as const;
  let t: TestHost;

  before(async () => {
    t = await startTestHost({ env: { PATH: path.dirname(file), LAMBKIN_NODE_INSTALL: 'off' } });
  });
  after(() => t[Symbol.asyncDispose]());

  test('runs functions that call back, as that version of the service does', async () => {
    const code = `exports.handler = (event, context, callback) => {
      setTimeout(() => { fired = true; }, 20);
      let fired = false;
      process.once('beforeExit', () => {});
      callback(null, { version: process.version, env: process.env.AWS_EXECUTION_ENV, path: process.env.NODE_PATH.split(':')[0], keys: Object.keys(JSON.parse(JSON.stringify(context))).slice(0, 2) });
    };`;
    await t.deploy('callback', { 'index.js': code }, { Runtime });
    assert.deepEqual(await result(t, 'callback'), {
      version: `v${version}`,
      env: `AWS_Lambda_nodejs${major}.x`,
      path: `/opt/nodejs/node${major}/node_modules`,
      keys: ['callbackWaitsForEmptyEventLoop', 'functionVersion'],
    });
    const lines = await readLog(t, '/aws/lambda/callback');
    const [, minor] = version.split('.');
    assert.match(
      lines[0] ?? '',
      new RegExp(`^INIT_START Runtime Version: nodejs:${major}\\.v${minor}\\t`),
    );
    assert.match(
      lines[1] ?? '',
      /WARN\tAWS Lambda plans to remove support for callback-based function handlers/,
    );
  });

  test('ignores what a plain function returns, and answers null when nothing is left to do', async () => {
    await t.deploy('plain', { 'index.js': 'exports.handler = () => 42;' }, { Runtime });
    assert.equal(await result(t, 'plain'), null);
  });

  test('ends with the error of its version when a promise never settles', async () => {
    const code = 'exports.handler = async () => new Promise(() => {});';
    await t.deploy('never', { 'index.js': code }, { Runtime });
    await failure(t, 'never', {}, 'Runtime.NodeJsExit');
  });

  test('imports packages of layers, also for its own version only', async () => {
    const files = (name: string) => ({
      [`nodejs/${name}node_modules/${name === '' ? 'all' : 'own'}/package.json`]:
        '{"exports":"./index.mjs"}',
      [`nodejs/${name}node_modules/${name === '' ? 'all' : 'own'}/index.mjs`]: `export default '${name}';`,
    });
    const layer = await publishLayer(t.client, 'packages', {
      ...files(''),
      ...files(`node${major}/`),
    });
    const code =
      'import all from "all"; import own from "own"; export const handler = async () => [all, own];';
    await t.deploy('layered', { 'index.mjs': code }, { Runtime, Layers: [layer] });
    assert.deepEqual(await result(t, 'layered'), ['', `node${major}/`]);
  });

  test('takes variables that act at its start', async () => {
    const Environment = { Variables: { NODE_OPTIONS: '--stack-trace-limit=3' } };
    const code = 'exports.handler = async () => Error.stackTraceLimit;';
    await t.deploy('options', { 'index.js': code }, { Runtime, Environment });
    assert.equal(await result(t, 'options'), 3);
  });

  test('that the machine lacks is named, with what would help', async () => {
    const missing = major === 20 ? 22 : 20;
    await t.deploy('missing', { 'index.js': '' }, { Runtime: `nodejs${missing}.x` });
    await assert.rejects(t.invoke('missing'), {
      name: 'InvalidRuntimeException',
      message: new RegExp(`Node.js ${missing}, and none was found in .*nvm install ${missing}`),
    });
  });
});
