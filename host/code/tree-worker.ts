// What the worker threads for unpacked trees run: clones and removals. It imports next to nothing, since the first clone after
// a quiet time waits for such a thread to start. One export per task.
import { rmSync } from 'node:fs';
import { cloneTree } from './clone-tree.ts';

export interface CloneTask {
  readonly tree: string;
  /** On the file system of `tree`; must not exist. */
  readonly targets: readonly string[];
}

/** All of the targets or none. */
export function clone({ tree, targets }: CloneTask): void {
  try {
    for (const target of targets) cloneTree(tree, target);
  } catch (error) {
    remove(targets);
    throw error;
  }
}

/** Harmless for what is not there. */
export function remove(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
