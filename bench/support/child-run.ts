// A process that is spawned, runs and ends: what a cold start is compared with.
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** ms from spawn to exit of this Node with these arguments; rejects when it fails. */
export async function timeNode(
  args: readonly string[],
  options: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<number> {
  const beganAt = performance.now();
  const child = spawn(process.execPath, args, { ...options, env: {}, stdio: 'ignore' });
  const [code]: unknown[] = await once(child, 'exit');
  const tookMs = performance.now() - beganAt;
  if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${String(code)}`);
  return tookMs;
}
