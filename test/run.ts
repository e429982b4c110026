// npm test: everything, or what the arguments name. Installs system packages that the tests need when that is possible.
//   npm test                                   all tests
//   npm test -- test/api/function.test.ts      some
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const BWRAP = '/usr/bin/bwrap';

ensureBubblewrap();
const named = process.argv.slice(2);
const files = named.length > 0 ? named : globSync('test/**/*.test.ts', { cwd: root }).toSorted();
const run = spawnSync(
  process.execPath,
  [
    '--test',
    `--test-concurrency=${Math.min(4, availableParallelism())}`,
    '--test-timeout=240000',
    ...files,
  ],
  {
    cwd: root,
    stdio: 'inherit',
    // Each file is a process that would strip the types of the whole host again.
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: path.join(root, 'node_modules', '.cache', 'lambkin-test'),
    },
  },
);
process.exitCode = run.status ?? 1;

/** The strongest isolation needs bubblewrap; without it the tests run in the tier that is left and say so. */
function ensureBubblewrap(): void {
  if (existsSync(BWRAP) || process.platform !== 'linux') return;
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    process.stderr.write('installing bubblewrap (apt-get install bubblewrap) ...\n');
    spawnSync('apt-get', ['update', '-qq'], { stdio: 'ignore' });
    spawnSync('apt-get', ['install', '-y', '-qq', 'bubblewrap'], { stdio: 'ignore' });
  }
  if (!existsSync(BWRAP))
    process.stderr.write(
      'bubblewrap is not installed (as root: apt-get install bubblewrap): tests run in a lower isolation tier\n',
    );
}
