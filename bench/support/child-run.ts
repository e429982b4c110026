// A process that is spawned, runs and ends: what a cold start is compared with.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface RunOptions {
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** ms from spawn to exit of this Node with these arguments; rejects when it fails. */
export function timeNode(args: readonly string[], options: RunOptions): Promise<number> {
  return timeProgram(process.execPath, args, options);
}

/** The same of any program. */
export async function timeProgram(
  program: string,
  args: readonly string[],
  options: RunOptions,
): Promise<number> {
  const beganAt = performance.now();
  const child = spawn(program, args, { ...options, env: {}, stdio: 'ignore' });
  const [code]: unknown[] = await once(child, 'exit');
  const tookMs = performance.now() - beganAt;
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}`);
  return tookMs;
}
