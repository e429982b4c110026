// What a host can leave behind on the machine: processes, control groups, slot directories. A clean end leaves none.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const CGROUP_ROOT = '/sys/fs/cgroup';

/** Everything of the host that owned this data directory; read its id before the directory is removed. */
export function tracesOf(dataDir: string): readonly string[] {
  return [
    ...processesUnder(dataDir),
    ...groupsOf(dataDir).map((directory) => `control group ${directory}`),
    ...slotsUnder(dataDir),
  ];
}

/** Processes whose command line or mounts speak of the directory. */
export function processesUnder(directory: string): readonly string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) continue;
    const mounts = readIfThere(`/proc/${pid}/mountinfo`);
    const commandLine = readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
    if (mounts.includes(directory) || commandLine.includes(directory))
      found.push(`process ${pid} ${commandLine}`);
  }
  return found;
}

/** Directories of its control groups, one per hierarchy. */
export function groupsOf(dataDir: string): readonly string[] {
  const id = readIfThere(path.join(dataDir, 'id')).trim();
  if (id === '' || !existsSync(CGROUP_ROOT)) return [];
  const hierarchies = ['', ...readdirSync(CGROUP_ROOT)];
  return hierarchies
    .map((hierarchy) => path.join(CGROUP_ROOT, hierarchy, `lambkin-${id}`))
    .filter((directory) => existsSync(directory));
}

function slotsUnder(dataDir: string): readonly string[] {
  const slots = path.join(dataDir, 'slots');
  if (!existsSync(slots)) return [];
  const numbers = readdirSync(slots).filter((name) => /^\d+$/.test(name));
  return numbers.map((name) => `slot directory ${path.join(slots, name)}`);
}

/** Empty when it is gone, which is what we hope for. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error) return '';
    throw error;
  }
}
