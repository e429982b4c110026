// Unpacked packages on disk, code/trees/<hex>: a bounded cache of what the blobs hold, each tree with its spare clones. Knows
// nothing of archives; how a tree comes into being is the caller's argument.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../../runtime/clock.ts';
import { CloneStock } from './clone-stock.ts';
import { Trash } from './trash.ts';
import {
  adoptTrees,
  digestPattern,
  makeDirectory,
  recordBoot,
  type TreeFacts,
  type TreePaths,
  treePaths,
} from './tree-files.ts';
import type { CodeWorkers } from './workers.ts';

export interface TreeStoreOptions {
  /** Absolute; made 0711, so that a slot's uid can walk through it but not list it. */
  readonly codeDir: string;
  /** Unpacked trees kept. */
  readonly maxTrees: number;
  /** Bytes on disk of the trees kept; a single larger one is kept until another comes. */
  readonly maxTreeBytes: number;
  /** Trees that have spare clones at one time, the most recently used ones. */
  readonly maxStocked: number;
  /** Tells one boot of the machine from the next; undefined when it is not known. */
  readonly bootId: string | undefined;
  readonly clock: Clock;
  /** Hears of failures in the background: spare clones, removals. */
  readonly onFault: (error: unknown) => void;
}

/** Creates the tree at the path it is given and tells what it holds. */
export type MakeTree = (path: string) => Promise<TreeFacts>;

interface Tree {
  readonly digest: string;
  readonly facts: TreeFacts;
  readonly stock: CloneStock;
}

/** What an entry takes on disk beside its bytes, roughly. */
const bytesPerEntry = 4096;
/** Entries cloned by one message to a worker. */
const entriesPerBatch = 64;
const maxBatch = 8;

export class TreeStore implements AsyncDisposable {
  readonly #options: TreeStoreOptions;
  readonly #workers: CodeWorkers;
  readonly #paths: TreePaths;
  readonly #trash: Trash;
  readonly #trees: LRUCache<string, Tree>;
  /** The most recently used trees, which have spare clones. */
  readonly #stocked: LRUCache<string, Tree>;
  readonly #making = new Map<string, Promise<Tree>>();
  readonly #closing = new Map<string, Promise<void>>();
  #closed = false;

  private constructor(options: TreeStoreOptions, workers: CodeWorkers, paths: TreePaths) {
    this.#options = options;
    this.#workers = workers;
    this.#paths = paths;
    this.#trash = new Trash(paths.trash, workers, this.#report);
    this.#trees = new LRUCache({
      max: options.maxTrees,
      maxSize: options.maxTreeBytes,
      sizeCalculation: (tree) => Math.min(bytesOnDisk(tree.facts), options.maxTreeBytes),
      dispose: (tree) => this.#evict(tree),
    });
    this.#stocked = new LRUCache({
      max: options.maxStocked,
      dispose: (tree, _digest, reason) => {
        if (reason === 'evict') tree.stock.trim();
      },
    });
  }

  /** Takes over whole trees of an earlier run; what a crash left half-made is moved aside and removed in the background. */
  static async open(options: TreeStoreOptions, workers: CodeWorkers): Promise<TreeStore> {
    const paths = treePaths(options.codeDir);
    await makeDirectory(options.codeDir, 0o711);
    await makeDirectory(paths.trash, 0o700);
    const store = new TreeStore(options, workers, paths);
    const discard = (path: string) => store.#trash.take(path);
    await discard(paths.staging);
    await discard(paths.clones);
    await makeDirectory(paths.staging, 0o700);
    await makeDirectory(paths.clones, 0o711);
    await recordBoot(paths, options.bootId, discard);
    for (const { digest, facts } of await adoptTrees(paths, discard)) store.#keep(digest, facts);
    store.#trash.empty();
    return store;
  }

  /** Where clones lie until they are renamed away. */
  get clonesDir(): string {
    return this.#paths.clones;
  }

  /** A fresh directory, 0700, on the file system of the trees; give it to {@link toss} in the end. */
  async stagingDirectory(): Promise<string> {
    return await mkdtemp(join(this.#paths.staging, 'package-'));
  }

  /**
   * The facts of a tree, which `make` creates first if it is not there, and spare clones of it in the background. One `make`
   * per digest at a time; whoever comes meanwhile shares its outcome.
   */
  async ensure(digest: string, make: MakeTree): Promise<TreeFacts> {
    const tree = await this.#tree(digest, make);
    this.#stocked.set(digest, tree);
    tree.stock.fill();
    return tree.facts;
  }

  /** Whether a tree has an entry of that name at its top; undefined while it is not unpacked. Reads the disk. */
  holds(digest: string, name: string): boolean | undefined {
    if (this.#trees.peek(digest) === undefined) return undefined;
    return existsSync(join(this.#paths.tree(digest), name));
  }

  /** A clone of the tree, the caller's own. */
  async clone(digest: string, make: MakeTree): Promise<string> {
    for (;;) {
      const tree = await this.#tree(digest, make);
      const taken = tree.stock.take();
      if (taken !== undefined) {
        this.#stocked.set(digest, tree);
        return await taken;
      }
      // It was evicted before this line was reached: once more, with a tree made anew.
    }
  }

  /** Takes back a clone that was not used. */
  discard(clone: string): void {
    assert.equal(dirname(clone), this.#paths.clones, 'only clones of this store are discarded');
    this.toss(clone);
  }

  /**
   * Removes trees, with their spare clones, that are not in `keep`; returns their digests. A tree made of others stays as long as they
   * all do.
   */
  async sweep(keep: ReadonlySet<string>): Promise<readonly string[]> {
    const isKept = ({ digest, facts: { parts } }: Tree) =>
      parts === undefined ? keep.has(digest) : parts.every((part) => keep.has(part));
    const removed = [...this.#trees.values()]
      .filter((tree) => !isKept(tree))
      .map(({ digest }) => digest);
    for (const digest of removed) this.#trees.delete(digest);
    await Promise.all(removed.map((digest) => this.#closing.get(digest) ?? Promise.resolve()));
    return removed;
  }

  /** Out of the way soon, then removed in the background. Harmless when there is nothing. */
  toss(path: string): void {
    this.#trash.toss(path);
  }

  /** Begins nothing new from here on, and what fails is no fault any more. */
  close(): void {
    this.#closed = true;
  }

  /** Leaves the trees for the next run. Dispose of the workers first: that ends what is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await Promise.allSettled(this.#making.values());
    await Promise.all([...this.#trees.values()].map((tree) => tree.stock.close()));
    await Promise.all(this.#closing.values());
    await this.#trash[Symbol.asyncDispose]();
  }

  readonly #report = (error: unknown): void => {
    if (!this.#closed) this.#options.onFault(error);
  };

  async #tree(digest: string, make: MakeTree): Promise<Tree> {
    assert(!this.#closed, 'the code packages have been closed');
    assert.match(digest, digestPattern, 'a digest is 64 lower-case hex digits');
    const known = this.#trees.get(digest) ?? this.#making.get(digest);
    if (known !== undefined) return await known;
    const making = this.#make(digest, make).finally(() => this.#making.delete(digest));
    this.#making.set(digest, making);
    return await making;
  }

  async #make(digest: string, make: MakeTree): Promise<Tree> {
    await this.#closing.get(digest);
    const staging = await this.stagingDirectory();
    try {
      const staged = join(staging, 'tree');
      const facts = await make(staged);
      const sheet = join(staging, 'facts.json');
      await writeFile(sheet, JSON.stringify(facts));
      await rename(sheet, this.#paths.facts(digest));
      await rename(staged, this.#paths.tree(digest));
      return this.#keep(digest, facts);
    } finally {
      this.toss(staging);
    }
  }

  #keep(digest: string, facts: TreeFacts): Tree {
    const source = this.#paths.tree(digest);
    const stock = new CloneStock({
      make: async (count) => {
        const targets = Array.from({ length: count }, () => join(this.#paths.clones, randomUUID()));
        await this.#workers.clone({ tree: source, targets });
        return targets;
      },
      discard: (clones) => {
        for (const clone of clones) this.toss(clone);
      },
      onFault: this.#report,
      clock: this.#options.clock,
      batch: Math.min(Math.max(1, Math.floor(entriesPerBatch / facts.entries)), maxBatch),
    });
    const tree = { digest, facts, stock };
    this.#trees.set(digest, tree);
    return tree;
  }

  /** Until it is over the digest stands in `#closing`, and a new tree of that name waits for it. */
  #evict(tree: Tree): void {
    this.#stocked.delete(tree.digest);
    const closing = tree.stock
      .close()
      .then(() => this.#removeTree(tree.digest))
      .catch(this.#report)
      .finally(() => this.#closing.delete(tree.digest));
    this.#closing.set(tree.digest, closing);
  }

  async #removeTree(digest: string): Promise<void> {
    await this.#trash.take(this.#paths.tree(digest));
    await this.#trash.take(this.#paths.facts(digest));
  }
}

function bytesOnDisk(facts: TreeFacts): number {
  return facts.unzippedBytes + facts.entries * bytesPerEntry;
}
