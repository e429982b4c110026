// Why a custom runtime cannot be started, in the words of the service, found without starting it.
import assert from 'node:assert/strict';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, suite, test } from 'node:test';
import { type Entrypoint, findEntrypoint } from '../../runtime/runtime-api/entrypoint.ts';

const ELF_MACHINE_OFFSET = 18;
const OTHER = { x64: 'arm64', arm64: 'x64' } as const;

suite('the program of a custom runtime', () => {
  let dir: string;
  let taskDir: string;
  let optDir: string;

  beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'lambkin-entrypoint-'));
    taskDir = path.join(dir, 'task');
    optDir = path.join(dir, 'opt');
    mkdirSync(taskDir);
    mkdirSync(optDir);
  });
  afterEach(() => rm(dir, { recursive: true }));

  function found(architecture = process.arch): Entrypoint {
    const paths = { taskRoot: '/var/task', optDir: '/opt' };
    return findEntrypoint({ taskDir, optDir, paths }, architecture);
  }

  function put(directory: string, content: string | Buffer, mode = 0o755): void {
    writeFileSync(path.join(directory, 'bootstrap'), content, { mode });
  }

  function reason(): string {
    const entrypoint = found();
    return entrypoint.kind === 'none' ? entrypoint.reason : `found ${entrypoint.path}`;
  }

  const MISSING = "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]";

  test('is that of the code, else that of a layer', () => {
    assert.equal(reason(), MISSING);
    put(optDir, '#!/bin/sh\n');
    assert.deepEqual(found(), { kind: 'found', path: '/opt/bootstrap' });
    put(taskDir, '#!/bin/sh\n');
    assert.deepEqual(found(), { kind: 'found', path: '/var/task/bootstrap' });
  });

  test('is a file: a directory of that name is passed over', () => {
    mkdirSync(path.join(taskDir, 'bootstrap'));
    assert.equal(reason(), MISSING);
  });

  test('may be a link to a file of the package', () => {
    writeFileSync(path.join(taskDir, 'real'), '#!/bin/sh\n', { mode: 0o755 });
    symlinkSync('real', path.join(taskDir, 'bootstrap'));
    assert.deepEqual(found(), { kind: 'found', path: '/var/task/bootstrap' });
  });

  test('may name an interpreter by a way round, which leads nowhere else than for the function', () => {
    put(taskDir, '#!/var/task/../../bin/sh\n');
    assert.deepEqual(found(), { kind: 'found', path: '/var/task/bootstrap' });
    writeFileSync(path.join(dir, 'beside'), '#!/bin/sh\n', { mode: 0o755 });
    const missing = 'fork/exec /var/task/bootstrap: no such file or directory';
    put(taskDir, '#!/var/task/../beside\n');
    assert.equal(reason(), missing);
    writeFileSync(path.join(taskDir, 'own'), '#!/bin/sh\n', { mode: 0o755 });
    put(taskDir, '#!./own\n');
    assert.deepEqual(found(), { kind: 'found', path: '/var/task/bootstrap' });
    put(taskDir, `#!${path.relative(process.cwd(), import.meta.filename)}\n`);
    assert.equal(
      reason(),
      missing,
      'a file below the directory of the host is none of the function',
    );
  });

  test('must be executable', () => {
    put(taskDir, '#!/bin/sh\n', 0o644);
    assert.equal(reason(), 'fork/exec /var/task/bootstrap: permission denied');
  });

  test('must be of a form that the kernel knows', () => {
    for (const content of ['echo no first line\n', '', '#!', '#!\n', '#! \t \n']) {
      put(taskDir, content);
      assert.equal(reason(), 'fork/exec /var/task/bootstrap: exec format error', content);
    }
  });

  test('names an interpreter that is there', () => {
    for (const line of ['#!/bin/sh', '#! /bin/sh -e', '#!\t/usr/bin/env bash']) {
      put(taskDir, `${line}\n`);
      assert.equal(reason(), 'found /var/task/bootstrap', line);
    }
    for (const line of ['#!/bin/sh\r', '#!/no/such/interpreter', '#!/var/task/missing']) {
      put(taskDir, `${line}\n`);
      assert.equal(reason(), 'fork/exec /var/task/bootstrap: no such file or directory', line);
    }
  });

  test('may name an interpreter of the package or of a layer, which must be executable', () => {
    writeFileSync(path.join(optDir, 'interpreter'), '#!/bin/sh\n', { mode: 0o644 });
    put(taskDir, '#!/opt/interpreter\n');
    assert.equal(reason(), 'fork/exec /var/task/bootstrap: permission denied');
    chmodSync(path.join(optDir, 'interpreter'), 0o755);
    assert.equal(reason(), 'found /var/task/bootstrap');
  });

  test('may be a program for this machine, and for no other', () => {
    copyFileSync(process.execPath, path.join(taskDir, 'bootstrap'));
    chmodSync(path.join(taskDir, 'bootstrap'), 0o755);
    assert.equal(reason(), 'found /var/task/bootstrap');
    const other = process.arch === 'x64' || process.arch === 'arm64' ? OTHER[process.arch] : 'x64';
    assert.deepEqual(found(other), {
      kind: 'none',
      reason: 'fork/exec /var/task/bootstrap: exec format error',
    });
  });

  test('may need a loader, which must be there', () => {
    const program = readFileSync('/bin/sh');
    assert.ok(program.readUInt16LE(ELF_MACHINE_OFFSET) > 0);
    const at = program.indexOf('/lib');
    assert.ok(at > 0 && at < 4096, 'the name of the loader');
    put(taskDir, program);
    assert.equal(reason(), 'found /var/task/bootstrap');
    program.write('/nil', at);
    put(taskDir, program);
    assert.equal(reason(), 'fork/exec /var/task/bootstrap: no such file or directory');
  });
});
