// What the worker threads for unpacked trees run: clones, merges and removals. It imports next to nothing, since the first clone
// after a quiet time waits for such a thread to start. One export per task.
import { rmSync } from 'node:fs';
import { cloneTree } from './clone-tree.ts';
import { mergeTrees } from './merge-trees.ts';
import type { TreeSize } from './tree-writer.ts';

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

export interface MergeTask {
  /** The caller's own, used up by it; later ones are laid over earlier ones. */
  readonly parts: readonly string[];
  /** On the file system of the parts; must not exist. */
  readonly target: string;
}

export function merge({ parts, target }: MergeTask): TreeSize {
  return mergeTrees(parts, target);
}

/** Harmless for what is not there. */
export function remove(paths: readonly string[]): void {
  for (const path of paths) rmSync(path, { recursive: true, force: true, maxRetries: 3 });
}
