// The command lines around a slot's program: entering its groups, resource limits, dropping to its user. Vectors, never text.
import type { Tools } from './tools.ts';

/** Limits the kernel holds per process or per user. */
export interface ProcessLimits {
  /** RLIMIT_NPROC; undefined where it would count the host's own processes. */
  readonly processes: number | undefined;
  readonly openFiles: number;
  /** RLIMIT_DATA in MiB, the backstop where no group limits memory. */
  readonly dataMib: number | undefined;
}

/**
 * Writes the shell's own id into each file before `--`, then becomes the command. A group that cannot be entered ends the
 * start: nothing runs outside its limits. `env -i`, since dash exports PWD; output and errors share one stream, in order.
 */
const enter =
  'exec 2>&1; while [ "$1" != -- ]; do echo $$ > "$1" || exit 125; shift; done; shift; exec "$@"';

const limitScript =
  'ulimit -c 0 && ulimit -n "$1" && { [ "$2" = - ] || ulimit -d "$2"; } || exit 125; shift 2; exec "$@"';

/** `command`, started in the groups of `joinFiles` with an empty environment. */
export function entered(
  tools: Tools,
  joinFiles: readonly string[],
  command: readonly string[],
): readonly string[] {
  return [tools.sh, '-c', enter, 'sh', ...joinFiles, '--', tools.env, '-i', ...command];
}

/** `command` under resource limits. Without prlimit(1) the shell's ulimit does it, except for the number of processes. */
export function limited(
  tools: Pick<Tools, 'prlimit' | 'sh'>,
  limits: ProcessLimits,
  command: readonly string[],
): readonly string[] {
  if (tools.prlimit === undefined) {
    const dataKib = limits.dataMib === undefined ? '-' : String(limits.dataMib * 1024);
    return [tools.sh, '-c', limitScript, 'sh', String(limits.openFiles), dataKib, ...command];
  }
  const options = [`--nofile=${limits.openFiles}`, '--core=0'];
  if (limits.processes !== undefined) options.push(`--nproc=${limits.processes}`);
  if (limits.dataMib !== undefined) options.push(`--data=${limits.dataMib * 1_048_576}`);
  return [tools.prlimit, ...options, ...command];
}
