// Where Nodes of other versions are found, and how they are installed: by the real npm, from a registry of the test's own.
import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import {
  findNodes,
  installedProgram,
  type NodeInterpreter,
  probeNode,
} from '../../runtime/runtimes/node/find.ts';
import { npmEnvironment } from '../../runtime/runtimes/node/install.ts';
import { installableMajor, NodeInstalls } from '../../runtime/runtimes/node/installs.ts';
import { startNpmRegistry } from '../support/npm-registry.ts';

const searchPath = process.env['PATH'] ?? '';
const [older] = await findNodes({ installDir: '/nowhere', searchPath, home: homedir() });
const skip = older === undefined && 'this machine has no other Node';

test('the identifiers of runtimes that can be installed', () => {
  assert.equal(installableMajor('nodejs22.x'), 22);
  assert.equal(installableMajor('nodejs20.x'), 20);
  for (const other of ['nodejs24.x', 'nodejs18.x', 'nodejs2.x', 'python3.12', 'provided.al2'])
    assert.equal(installableMajor(other), undefined, other);
});

test('npm is given its own settings of the host’s environment and nothing else', () => {
  const environment = {
    HOME: '/home/me',
    npm_config_registry: 'http://r',
    HTTPS_PROXY: 'http://p',
    no_proxy: 'a',
    AWS_SECRET_ACCESS_KEY: 'secret',
    LAMBKIN_TOKEN: 'secret',
    PATH: '/own',
  };
  assert.deepEqual(npmEnvironment(environment, '/bin'), {
    HOME: '/home/me',
    npm_config_registry: 'http://r',
    HTTPS_PROXY: 'http://p',
    no_proxy: 'a',
    PATH: '/bin',
  });
});

test('neither this Node nor what is none counts', async () => {
  assert.equal(await probeNode(process.execPath), undefined);
  assert.equal(await probeNode('/bin/true'), undefined);
  assert.equal(await probeNode('/no/such/program'), undefined);
});

suite('a Node of another version', { skip }, () => {
  // Never used where there is none.
  const { major, version, file } =
    older ?? ({ major: 20, version: '', file: '' } as NodeInterpreter);
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'lambkin-nodes-'));
  });
  afterEach(() => rm(dir, { recursive: true }));

  const found = (more: { searchPath?: string; installDir?: string; home?: string }) =>
    findNodes({ installDir: '/nowhere', searchPath: '', home: '/nowhere', ...more });

  test('is found on PATH and where version managers put it, links resolved', async () => {
    const onPath = path.join(dir, 'path');
    const managed = path.join(dir, 'home', '.nvm/versions/node', `v${version}`, 'bin');
    for (const directory of [onPath, managed]) await mkdir(directory, { recursive: true });
    await symlink(file, path.join(onPath, 'node'));
    await symlink(file, path.join(managed, 'node'));
    const expected = { major, version, file };
    assert.deepEqual((await found({ searchPath: `${onPath}:relative` }))[0], expected);
    assert.deepEqual((await found({ home: path.join(dir, 'home') }))[0], expected);
  });

  test('is not what a version manager puts in its place', async () => {
    const script = `#!/bin/sh\nexec ${file} "$@"\n`;
    await writeFile(path.join(dir, 'node'), script, { mode: 0o755 });
    const all = await found({ searchPath: dir });
    assert.ok(all.every((each) => !each.file.startsWith(dir)));
  });

  test('is installed by npm, once for all that ask, and found before all others', async () => {
    await using stack = new AsyncDisposableStack();
    const program = path.join(dir, 'package', 'bin', 'node');
    await mkdir(path.dirname(program), { recursive: true });
    await copyFile(file, program);
    const name = `node-${process.platform}-${process.arch}`;
    await writeFile(path.join(dir, 'package', 'package.json'), JSON.stringify({ name, version }));
    const registry = stack.use(await startNpmRegistry(name, version, dir));
    const installDir = path.join(dir, 'runtimes');
    const environment = {
      ...npmEnvironment({ HOME: dir, npm_config_registry: registry.url }, searchPath),
      npm_config_cache: path.join(dir, 'cache'),
    };
    const installed: NodeInterpreter[] = [];
    const problems: unknown[] = [];
    const installs = stack.use(
      new NodeInstalls({
        installDir,
        environment,
        isAllowed: true,
        monotonicMs: () => 0,
        onInstalled: (node) => installed.push(node),
        onProblem: (_text, cause) => problems.push(cause),
      }),
    );
    await Promise.all([installs.ensure(major), installs.ensure(major)]);
    assert.deepEqual(problems, []);
    const expected = { major, version, file: installedProgram(installDir, major) };
    assert.deepEqual(installed, [expected]);
    assert.equal(registry.fetched, 1);
    assert.deepEqual(await readdir(installDir), [`node-${major}`]);
    assert.deepEqual((await found({ installDir }))[0], expected);
  });
});

suite('an installation that fails', () => {
  async function failing(options: { isAllowed?: boolean; PATH?: string } = {}) {
    let now = 0;
    const problems: string[] = [];
    const installDir = await mkdtemp(path.join(tmpdir(), 'lambkin-nodes-'));
    const installs = new NodeInstalls({
      installDir,
      environment: { PATH: options.PATH ?? '/nowhere' },
      isAllowed: options.isAllowed ?? true,
      monotonicMs: () => now,
      onInstalled: () => assert.fail('nothing can be installed'),
      onProblem: (_text, cause) => problems.push(String(cause)),
    });
    return {
      installs,
      problems,
      advance: (ms: number) => {
        now += ms;
      },
      async [Symbol.asyncDispose]() {
        await installs[Symbol.asyncDispose]();
        assert.deepEqual(await readdir(installDir), []);
        await rm(installDir, { recursive: true });
      },
    };
  }

  test('is told, and tried again only after a while', async () => {
    await using place = await failing();
    const { installs, problems, advance } = place;
    await installs.ensure(22);
    assert.match(problems[0] ?? '', /npm could not install node-\S+@22: spawn npm ENOENT/);
    await installs.ensure(22);
    assert.equal(problems.length, 1);
    advance(60_000);
    await installs.ensure(22);
    assert.equal(problems.length, 2);
  });

  test('is not even begun where it is switched off', async () => {
    await using place = await failing({ isAllowed: false });
    await place.installs.ensure(22);
    assert.deepEqual(place.problems, []);
  });

  test('ends with the host', async () => {
    const dir = await mkdtemp(path.join(tmpdir(), 'lambkin-npm-'));
    await writeFile(path.join(dir, 'npm'), '#!/bin/sh\nexec /bin/sleep 1000\n', { mode: 0o755 });
    await using place = await failing({ PATH: dir });
    const ensured = place.installs.ensure(20);
    await place.installs[Symbol.asyncDispose]();
    await ensured;
    assert.deepEqual(place.problems, []);
    await rm(dir, { recursive: true });
  });
});
