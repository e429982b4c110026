// What a machine is found to hold, how that is reported, and the detours that a host under root takes.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { suite, test } from 'node:test';
import { openSandboxes } from '../../runtime/sandbox/open.ts';
import type { IsolationTier, SandboxConfig } from '../../runtime/sandbox/sandbox.ts';
import {
  defaultShape,
  openTestHost,
  TestSlot,
  temporaryDirectory,
  testProgram,
  tierOptions,
  unlessTier,
} from './slot.ts';

const isRoot = process.getuid?.() === 0;

for (const tier of [
  'full',
  'partial',
  'partial-uid',
  'none',
] as const satisfies readonly IsolationTier[]) {
  suite(`the report of tier ${tier}`, { skip: await unlessTier(tier) }, () => {
    test('gives a reason for each difference, and none where there is none', async () => {
      await using host = await openTestHost(tierOptions[tier]);
      const { features } = host.sandboxes.report;
      assert.equal(features.length, 10);
      for (const { feature, wanted, got, reason } of features) {
        assert.equal(reason === '', got === wanted, `${feature}: ${got}, reason '${reason}'`);
      }
    });
  });
}

suite('a second start', { skip: await unlessTier('full') }, () => {
  test('remembers the probes of the first, until something changes', async () => {
    const dir = temporaryDirectory();
    const config: SandboxConfig = {
      slotsDir: path.join(dir, 'slots'),
      mode: 'require-full',
      maxProcesses: 64,
      hostId: path.basename(dir),
    };
    const first = await openSandboxes(config);
    await first[Symbol.asyncDispose]();
    const kept = readFileSync(path.join(dir, 'isolation-probe.json'), 'utf8');
    const second = await openSandboxes(config);
    assert.deepEqual(second.report, first.report);
    await second[Symbol.asyncDispose]();
    writeFileSync(path.join(dir, 'isolation-probe.json'), kept.replace(/"key":"./, '"key":"x'));
    const third = await openSandboxes(config);
    assert.equal(third.report.tier, 'full');
    await third[Symbol.asyncDispose]();
    assert.notEqual(readFileSync(path.join(dir, 'isolation-probe.json'), 'utf8')[8], 'x');
    rmSync(dir, { recursive: true });
  });
});

test('a required tier that is not reached is an error that says why', async () => {
  await assert.rejects(
    openTestHost({ mode: 'require-full', bwrapPath: '/no/such/bwrap' }),
    /require-full is asked for, this machine reaches .*bwrap is missing; install the package bubblewrap/,
  );
  await assert.rejects(
    openTestHost({ mode: 'require-full', cgroupRoot: 'none' }),
    /cgroups are switched off/,
  );
});

test('isolation that is switched off is reported as none, and runs', async () => {
  await using host = await openTestHost({ mode: 'off' });
  assert.equal(host.sandboxes.report.tier, 'none');
  await using slot = await host.start();
  assert.equal(await slot.run('return process.getuid()'), process.getuid?.());
});

test('an id that is no file name is refused', async () => {
  await assert.rejects(openTestHost({ hostId: '../other' }), /id must be/);
});

suite('a user per slot', { skip: isRoot ? await unlessTier('partial-uid') : 'needs root' }, () => {
  test('keeps slots from the files of the host and of each other', async () => {
    await using host = await openTestHost(tierOptions['partial-uid']);
    await using one = await host.start();
    await using other = await host.start();
    writeFileSync(path.join(host.dir, 'secret'), 'secret', { mode: 0o600 });
    mkdirSync(one.sandbox.taskDir);
    writeFileSync(path.join(one.sandbox.taskDir, 'code'), 'code', { mode: 0o644 });
    const read = (file: string) => `return attempt(() => fs.readFileSync('${file}', 'utf8'))`;
    assert.equal(await one.run(read(`${one.sandbox.taskDir}/code`)), 'code');
    assert.equal(await other.run(read(`${one.sandbox.taskDir}/code`)), 'EACCES');
    assert.equal(await one.run(read(path.join(host.dir, 'secret'))), 'EACCES');
    assert.notEqual(
      await one.run('return process.getuid()'),
      await other.run('return process.getuid()'),
    );
    const { tmpDir, taskRoot } = one.sandbox.paths;
    assert.equal(await one.run(`fs.writeFileSync('${tmpDir}/x', ''); return 1`), 1);
    assert.equal(
      await one.run(`return attempt(() => fs.writeFileSync('${taskRoot}/x', ''))`),
      'EACCES',
    );
    const status = await one.run(
      `return fs.readFileSync('/proc/self/status', 'utf8').match(/^(CapEff|CapBnd|NoNewPrivs):.*/gm)`,
    );
    assert.deepEqual(status, [
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
    ]);
  });
});

for (const tier of ['full', 'partial-uid'] as const satisfies readonly IsolationTier[]) {
  suite(`a directory closed to others, tier ${tier}`, {
    skip: isRoot ? await unlessTier(tier) : 'needs root',
  }, () => {
    test('is no obstacle for the slots, the runtime or the interpreter in it', async () => {
      const dir = temporaryDirectory();
      chmodSync(dir, 0o700);
      const config: SandboxConfig = {
        slotsDir: path.join(dir, 'slots'),
        mode: 'auto',
        maxProcesses: 64,
        hostId: path.basename(dir),
        ...tierOptions[tier],
      };
      const program = testProgram(dir);
      chmodSync(path.join(program.runtimeDir, 'index.mjs'), 0o600);
      const interpreter = path.join(dir, 'node');
      copyFileSync(process.execPath, interpreter);
      const sandboxes = await openSandboxes(config);
      try {
        assert.equal(sandboxes.report.tier, tier);
        const slot = new TestSlot(sandboxes.spawn(defaultShape, { ...program, interpreter }));
        await slot.up();
        mkdirSync(slot.sandbox.taskDir);
        writeFileSync(path.join(slot.sandbox.taskDir, 'code'), 'code', { mode: 0o644 });
        const file = `${slot.sandbox.paths.taskRoot}/code`;
        assert.equal(await slot.run(`return fs.readFileSync('${file}', 'utf8')`), 'code');
        await slot[Symbol.asyncDispose]();
      } finally {
        await sandboxes[Symbol.asyncDispose]();
      }
      assert.ok(!existsSync(`/run/lambkin/${config.hostId}`));
      rmSync(dir, { recursive: true });
    });
  });
}
