// Where unpacked packages lie below the code directory, and what of an earlier run may still be trusted there.
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { hasErrorCode } from '../../runtime/error-code.ts';

/** What is remembered of a tree beside it, code/trees/<hex>.json. */
export interface TreeFacts {
  /** Sum of the files' sizes. */
  readonly unzippedBytes: number;
  /** Files, directories and links; at least one. */
  readonly entries: number;
  /** Remarks on the archive, for the log. */
  readonly warnings: readonly string[];
  /** Of a tree that was made of others, not of a package: their digests, in the order in which they were laid over one another. */
  readonly parts?: readonly string[] | undefined;
}

export interface TreePaths {
  readonly trees: string;
  /** Spare clones, and those taken but not yet renamed into a slot. */
  readonly clones: string;
  readonly staging: string;
  readonly trash: string;
  readonly bootId: string;
  tree(digest: string): string;
  facts(digest: string): string;
}

export const digestPattern = /^[0-9a-f]{64}$/;

export function treePaths(codeDir: string): TreePaths {
  const trees = join(codeDir, 'trees');
  return {
    trees,
    clones: join(codeDir, 'clones'),
    staging: join(codeDir, 'staging'),
    trash: join(codeDir, 'trash'),
    bootId: join(codeDir, 'boot-id'),
    tree: (digest) => join(trees, digest),
    facts: (digest) => join(trees, `${digest}.json`),
  };
}

/** The mode holds whatever the umask, and whoever made the directory. */
export async function makeDirectory(path: string, mode: number): Promise<void> {
  await mkdir(path, { recursive: true });
  await chmod(path, mode);
}

/**
 * Trees are renamed into place without fsync, since the blobs they come from are durable. So they outlive the process but are
 * not trusted after the machine has booted: a loss of power may have emptied their files.
 */
export async function recordBoot(
  paths: TreePaths,
  bootId: string | undefined,
  discard: (path: string) => Promise<void>,
): Promise<void> {
  if (bootId === undefined || (await readIfPresent(paths.bootId)) !== bootId) {
    await discard(paths.trees);
  }
  await makeDirectory(paths.trees, 0o711);
  await writeFile(paths.bootId, bootId ?? '');
}

/** The whole trees, longest known first; discards the rest. */
export async function adoptTrees(
  paths: TreePaths,
  discard: (path: string) => Promise<void>,
): Promise<readonly { readonly digest: string; readonly facts: TreeFacts }[]> {
  const names = new Set(await readdir(paths.trees));
  const found: { digest: string; facts: TreeFacts; madeMs: number }[] = [];
  for (const name of names) {
    const digest = basename(name, '.json');
    if (!digestPattern.test(digest) || !names.has(digest) || !names.has(`${digest}.json`)) {
      await discard(join(paths.trees, name));
    } else if (name === digest) {
      // `#make` in tree-store.ts wrote it whole before it got this name.
      const facts: TreeFacts = JSON.parse(await readFile(paths.facts(digest), 'utf8'));
      found.push({ digest, facts, madeMs: (await stat(paths.facts(digest))).mtimeMs });
    }
  }
  return found.sort((one, other) => one.madeMs - other.madeMs);
}

async function readIfPresent(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
