// Python functions for tests, on each interpreter that this machine has.
import { mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { CreateFunctionCommandInput, Runtime } from '@aws-sdk/client-lambda';
import { PYTHON_MINORS } from '../../runtime/runtimes/python/places.ts';
import { findPythons, type PythonInterpreter } from '../../runtime/runtimes/python/probe.ts';
import type { TestHost } from '../support/test-host.ts';

/** As a host finds them. */
export async function machinePythons(): Promise<readonly PythonInterpreter[]> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lambkin-pythons-'));
  try {
    const places = { named: [], searchPath: '', home: homedir() };
    return await findPythons(places, path.join(folder, 'pythons.json'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

const PYTHONS = await machinePythons();

/** One test for each version that the service has; those that this machine lacks are skipped, and say so. */
export function testEachPython(
  title: string,
  body: (python: PythonInterpreter) => Promise<void>,
): void {
  for (const minor of PYTHON_MINORS) {
    const python = PYTHONS.find((each) => each.minor === minor);
    const skip = python === undefined && `this machine has no python3.${minor}`;
    test(`python3.${minor}: ${title}`, { skip }, () => (python && body(python)) ?? fail());
  }
}

/** One test, on the newest version that this machine has. */
export function testPython(
  title: string,
  body: (python: PythonInterpreter) => Promise<void>,
): void {
  const python = PYTHONS.at(-1);
  const skip = python === undefined && 'this machine has no Python';
  test(title, { skip }, () => (python && body(python)) ?? fail());
}

/** The same on one that the service has SnapStart for. */
export function testSnapStart(
  title: string,
  body: (python: PythonInterpreter) => Promise<void>,
): void {
  const python = PYTHONS.findLast(({ minor }) => minor >= 12);
  const skip = python === undefined && 'this machine has no Python of 3.12 or later';
  test(title, { skip }, () => (python && body(python)) ?? fail());
}

function fail(): never {
  throw new Error('a test ran without its interpreter');
}

/** A Python function of one file, `index.py`, or of these files; its handler is `index.handler`. */
export async function deployPython(
  t: TestHost,
  name: string,
  { minor }: PythonInterpreter,
  code: string | Readonly<Record<string, string>>,
  more: Partial<CreateFunctionCommandInput> = {},
): Promise<void> {
  const files = typeof code === 'string' ? { 'index.py': code } : code;
  // as: the SDK's list of runtimes may be older than the service's
  await t.deploy(name, files, { Runtime: `python3.${minor}` as Runtime, ...more });
}
