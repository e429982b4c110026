// Deployment packages: from the bytes received to a directory that can be renamed into a slot. What is received is kept as a
// blob; unpacked trees are a cache of it, and their clones share the trees' files.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../../runtime/clock.ts';
import { hasErrorCode } from '../../runtime/error-code.ts';
import type { Blobs } from '../store/store.ts';
import { type ArchiveLimits, ArchiveRefused, lambdaArchiveLimits } from './entry-rules.ts';
import { refusedPackage } from './refused-package.ts';
import type { TreeFacts } from './tree-files.ts';
import { type MakeTree, TreeStore } from './tree-store.ts';
import { CodeWorkers, UnpackTimeout } from './workers.ts';

/** A package that has been checked, unpacked and stored. */
export interface CodePackage {
  /** CodeSha256: base64 of the SHA-256 of the bytes received. */
  readonly sha256: string;
  /** The same in lower-case hex: the name of blob and tree. */
  readonly digest: string;
  /** CodeSize: the bytes received. */
  readonly sizeBytes: number;
  readonly unzippedBytes: number;
  /** Remarks for the log on archives that were taken nevertheless. */
  readonly warnings: readonly string[];
}

export interface CodePackagesOptions {
  readonly blobs: Blobs;
  /** Absolute path; trees/, clones/, staging/ and trash/ below it are this object's alone. */
  readonly codeDir: string;
  /** If given: where clones will be renamed to, to be found unreachable at once rather than at the first cold start. */
  readonly slotsDir?: string | undefined;
  readonly clock: Clock;
  /** Hears of failures in the background. */
  readonly onFault: (error: unknown) => void;
  /** Hears why a package is refused: the caller gets the service's text, which says nothing of it. */
  readonly onRefused?: ((reason: string) => void) | undefined;
  /** Unpacked trees kept; 1,000. */
  readonly maxTrees?: number | undefined;
  /** Bytes on disk of the trees kept; 20 GiB. */
  readonly maxTreeBytes?: number | undefined;
  /** Trees that have spare clones at one time; 64. */
  readonly maxStocked?: number | undefined;
  /** Packages unpacked at the same time; 2. */
  readonly unpackThreads?: number | undefined;
  /** A package still being unpacked after it is refused; 60,000. */
  readonly unpackTimeLimitMs?: number | undefined;
  /** How long an idle worker thread stays; 30,000. */
  readonly idleThreadMs?: number | undefined;
  readonly limits?: ArchiveLimits | undefined;
  /** Tells one boot of the machine from the next; read from the kernel when not given. */
  readonly bootId?: string | undefined;
}

const kernelBootId = '/proc/sys/kernel/random/boot_id';

/** Opens the code directory; sweeps what a crash left there. */
export async function openCodePackages(options: CodePackagesOptions): Promise<CodePackages> {
  await using stack = new AsyncDisposableStack();
  const workers = stack.use(createWorkers(options));
  const trees = await TreeStore.open(
    {
      codeDir: options.codeDir,
      maxTrees: options.maxTrees ?? 1000,
      maxTreeBytes: options.maxTreeBytes ?? 20 * 1024 ** 3,
      maxStocked: options.maxStocked ?? 64,
      bootId: options.bootId ?? (await readBootId()),
      clock: options.clock,
      onFault: options.onFault,
    },
    workers,
  );
  const limits = options.limits ?? lambdaArchiveLimits;
  const { blobs, onRefused } = options;
  const packages = stack.use(new CodePackages(blobs, trees, workers, limits, onRefused));
  if (options.slotsDir !== undefined) await checkRename(trees.clonesDir, options.slotsDir);
  stack.move();
  return packages;
}

function createWorkers(options: CodePackagesOptions): CodeWorkers {
  return new CodeWorkers(
    {
      unpackThreads: options.unpackThreads ?? 2,
      unpackTimeLimitMs: options.unpackTimeLimitMs ?? 60_000,
      idleTimeoutMs: options.idleThreadMs ?? 30_000,
    },
    options.onFault,
  );
}

export class CodePackages implements AsyncDisposable {
  readonly #blobs: Blobs;
  readonly #trees: TreeStore;
  readonly #workers: CodeWorkers;
  readonly #limits: ArchiveLimits;
  readonly #onRefused: CodePackagesOptions['onRefused'];
  readonly #running = new Set<Promise<unknown>>();

  constructor(
    blobs: Blobs,
    trees: TreeStore,
    workers: CodeWorkers,
    limits: ArchiveLimits,
    onRefused?: CodePackagesOptions['onRefused'],
  ) {
    this.#blobs = blobs;
    this.#trees = trees;
    this.#workers = workers;
    this.#limits = limits;
    this.#onRefused = onRefused;
  }

  /** Worker threads alive now; none on an idle host. */
  get threads(): number {
    return this.#workers.threads;
  }

  /**
   * Checks, unpacks and stores a package: zip, or as our extension tar and tar.gz. Its bytes must stay as they are until this
   * resolves. Throws ServiceError `InvalidParameterValueException` for what the package is to blame for, with an
   * {@link ArchiveRefused} or {@link UnpackTimeout} as its cause; nothing of the package is left behind then.
   */
  add(archive: Uint8Array | Readable): Promise<CodePackage> {
    return this.#tracked(() => this.#add(archive));
  }

  /**
   * A clone of the unpacked package, the caller's own, to be renamed into a slot. It usually lies ready; unpacks the package
   * anew when the tree has been evicted. Throws when there is no such blob.
   */
  stage(digest: string): Promise<string> {
    return this.#tracked(() => this.#trees.clone(digest, this.#fromBlob(digest)));
  }

  /** Unpacks if necessary and makes spare clones, ahead of the first `stage`. */
  async prepare(digest: string): Promise<void> {
    await this.#tracked(() => this.#trees.ensure(digest, this.#fromBlob(digest)));
  }

  /**
   * As `stage`, of layers: at least one package, later ones laid over earlier ones. Each distinct list is laid together once and kept
   * like a package's own tree.
   */
  stageLayers(digests: readonly string[]): Promise<string> {
    return this.#tracked(() => this.#trees.clone(...this.#layersTree(digests)));
  }

  /** As `prepare`, of layers. */
  async prepareLayers(digests: readonly string[]): Promise<void> {
    await this.#tracked(() => this.#trees.ensure(...this.#layersTree(digests)));
  }

  /** Whether these layers together have an entry of that name at their top; undefined while they are not laid together. */
  layersHold(digests: readonly string[], name: string): boolean | undefined {
    const [digest] = this.#layersTree(digests);
    return this.#trees.holds(digest, name);
  }

  /** Takes back what `stage` or `stageLayers` gave and nobody used. */
  discard(clone: string): void {
    this.#trees.discard(clone);
  }

  /** Removes the unpacked trees whose digests are not in `keep`; returns them. Blobs are not touched. */
  sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    return this.#tracked(() => this.#trees.sweep(keep));
  }

  /** Gives up what is being unpacked, whose callers get an error. Unpacked trees stay for the next run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#trees.close();
    await this.#workers[Symbol.asyncDispose]();
    await Promise.allSettled(this.#running);
    await this.#trees[Symbol.asyncDispose]();
  }

  async #add(archive: Uint8Array | Readable): Promise<CodePackage> {
    const staging = await this.#trees.stagingDirectory();
    try {
      const file = join(staging, 'archive');
      await writeArchive(file, archive);
      const digest = await this.#workers.digest(file);
      const facts = await this.#trees.ensure(digest, (tree) => this.#unpack(file, tree));
      const blob = await this.#blobs.put(createReadStream(file, { highWaterMark: 256 * 1024 }));
      if (blob.sha256 !== digest) throw new Error(`package ${digest} was stored as ${blob.sha256}`);
      return {
        sha256: Buffer.from(digest, 'hex').toString('base64'),
        digest,
        sizeBytes: blob.sizeBytes,
        unzippedBytes: facts.unzippedBytes,
        warnings: facts.warnings,
      };
    } finally {
      this.#trees.toss(staging);
    }
  }

  #layersTree(digests: readonly string[]): [digest: string, make: MakeTree] {
    const [first, ...others] = digests;
    assert(first !== undefined, 'there is at least one layer');
    if (others.length === 0) return [first, this.#fromBlob(first)];
    const list = createHash('sha256').update(`layers\n${digests.join('\n')}`);
    return [list.digest('hex'), this.#merged(digests)];
  }

  /** Made of clones: the trees themselves may be evicted at any time. */
  #merged(digests: readonly string[]): MakeTree {
    return async (target) => {
      const parts: string[] = [];
      try {
        for (const digest of digests)
          parts.push(await this.#trees.clone(digest, this.#fromBlob(digest)));
        const size = await this.#workers.merge({ parts, target });
        return { ...size, warnings: [], parts: digests };
      } finally {
        for (const part of parts) this.#trees.discard(part);
      }
    };
  }

  #fromBlob(digest: string): MakeTree {
    return async (tree) => {
      const blob = await this.#blobs.path(digest);
      if (blob === undefined) throw new Error(`there is no package ${digest}`);
      const found = await this.#workers.digest(blob);
      if (found !== digest) throw new Error(`package ${digest} is damaged: it is ${found} now`);
      return await this.#unpack(blob, tree);
    };
  }

  async #unpack(archive: string, tree: string): Promise<TreeFacts> {
    try {
      const result = await this.#workers.unpack({ archive, tree, limits: this.#limits });
      switch (result.kind) {
        case 'unpacked': {
          const { unzippedBytes, entries, warnings } = result;
          return { unzippedBytes, entries, warnings };
        }
        case 'refused':
          this.#onRefused?.(result.reason);
          throw refusedPackage(result.refusal, new ArchiveRefused(result.refusal, result.reason));
        default:
          throw result satisfies never;
      }
    } catch (cause) {
      if (cause instanceof UnpackTimeout || hasErrorCode(cause, 'ERR_WORKER_OUT_OF_MEMORY')) {
        throw refusedPackage('malformed', cause);
      }
      throw cause;
    }
  }

  #tracked<T>(work: () => Promise<T>): Promise<T> {
    const running = work().finally(() => this.#running.delete(running));
    this.#running.add(running);
    return running;
  }
}

async function writeArchive(file: string, archive: Uint8Array | Readable): Promise<void> {
  if (archive instanceof Uint8Array) await writeFile(file, archive, { mode: 0o600 });
  else await pipeline(archive, createWriteStream(file, { mode: 0o600 }));
}

async function readBootId(): Promise<string | undefined> {
  try {
    return (await readFile(kernelBootId, 'utf8')).trim();
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Tries what every cold start will do. */
async function checkRename(clonesDir: string, slotsDir: string): Promise<void> {
  const from = await mkdtemp(join(clonesDir, 'probe-'));
  const to = join(slotsDir, basename(from));
  try {
    await rename(from, to);
  } catch (cause) {
    const message = `cannot rename code from ${clonesDir} to ${slotsDir}; both must be on one file system`;
    throw new Error(message, { cause });
  } finally {
    await rm(from, { recursive: true, force: true });
    await rm(to, { recursive: true, force: true });
  }
}
