// First calls of small Python functions, in turns with a plain interpreter that runs the same handler once.
import { writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { Runtime } from '@aws-sdk/client-lambda';
import { findPythons } from '../../runtime/runtimes/python/probe.ts';
import { timeProgram } from './child-run.ts';
import { type Bench, deployFresh, firstCall, rest, row } from './first-calls.ts';
import type { Table } from './scenario.ts';

const HANDLER = `import json
import os

def handler(event, context):
    return json.dumps([os.getpid(), event])
`;

/** Calls before the clock counts. */
const WARM_UP = 3;

/** On the newest Python of this machine; no table without one. */
export async function measurePython(bench: Bench, count: number): Promise<readonly Table[]> {
  const { folder, signal } = bench;
  const places = { named: [], searchPath: '', home: homedir() };
  const python = (await findPythons(places, path.join(folder, 'pythons.json'))).at(-1);
  if (python === undefined) return [];
  const plain = path.join(folder, 'plain.py');
  await writeFile(plain, `${HANDLER}\nprint(handler({}, None))\n`);
  const names = await deployFresh(
    bench,
    'python',
    WARM_UP + count,
    (id) => ({ 'index.py': `# ${id}\n${HANDLER}` }),
    { Runtime: `python3.${python.minor}` as Runtime }, // the SDK's list may be older
  );
  bench.progress(`${count} first calls of Python ${python.version} in turns with a plain one`);
  const plainMs: number[] = [];
  const firstMs: number[] = [];
  for (const functionName of names) {
    await rest(bench);
    plainMs.push(await timeProgram(python.file, ['-I', '-S', plain], { cwd: folder, signal }));
    await rest(bench);
    firstMs.push(await firstCall(bench, functionName, '{}'));
  }
  const [bare, first] = [plainMs.slice(WARM_UP), firstMs.slice(WARM_UP)];
  return [
    {
      title: `A small function of Python ${python.version}, as a ratio of a plain interpreter that runs its handler once`,
      rows: [
        row('plain python3 -I -S, spawn to exit', bare, bare),
        row('first invoke, the host at rest before', first, bare),
      ],
    },
  ];
}
