// What a deployment package may hold: the checks on names, links and sizes that zip and tar share. Touches no disk.

/** Bounds of one archive. */
export interface ArchiveLimits {
  /** Bytes of all files together, counted as they come out, never as the archive declares them. */
  readonly maxUnzippedBytes: number;
  /** Files, directories and links; directories that are only implied by a longer name count too. */
  readonly maxEntries: number;
  /** Length of one whole name in UTF-8. */
  readonly maxNameBytes: number;
  /** Segments of one name. */
  readonly maxDepth: number;
}

/** The service's limit on unzipped bytes, and ours on the rest. */
export const lambdaArchiveLimits: ArchiveLimits = Object.freeze({
  maxUnzippedBytes: 262_144_000,
  maxEntries: 100_000,
  maxNameBytes: 1024,
  maxDepth: 64,
});

/** `empty`: no entries; `tooLarge`: over the limit on unzipped bytes; `malformed`: everything else. */
export type Refusal = 'malformed' | 'tooLarge' | 'empty';

/** The archive is at fault, not the host. The message is for the host's log; the caller sees the service's own text. */
export class ArchiveRefused extends Error {
  override readonly name = 'ArchiveRefused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.refusal = refusal;
  }
}

/** Refuses the archive as malformed. `name` is shown escaped and shortened, since it may hold anything. */
export function refuse(reason: string, name?: string): never {
  throw new ArchiveRefused('malformed', name === undefined ? reason : `${reason}: ${show(name)}`);
}

/** What reading an archive threw, with the blame put right: only errors of a system call are the host's own. */
export function readingFault(cause: unknown): unknown {
  if (cause instanceof ArchiveRefused || !(cause instanceof Error) || 'syscall' in cause) {
    return cause;
  }
  return new ArchiveRefused('malformed', cause.message, { cause });
}

/** An untrusted name as it may stand in a log line. */
export function show(name: string): string {
  return JSON.stringify(name.length > 200 ? `${name.slice(0, 200)}…` : name);
}

export type NodeKind = 'directory' | 'file' | 'symlink';

interface Node {
  readonly path: string;
  readonly kind: NodeKind;
  /** Of a symlink. */
  readonly target?: string;
}

/** Longest file name Linux file systems take, in bytes. */
const maxSegmentBytes = 255;
/** As many links as the kernel follows before ELOOP. */
const maxLinkHops = 40;

/** Control characters have no place in a name; U+0080–U+009F are their second block. */
const controlCharacter = /\p{Cc}/u;

/**
 * The checks on one name alone, in a fixed order, so that the reason reported does not depend on the reader. `raw` are the
 * bytes it was decoded from: code page 437 turns control bytes into printable characters.
 */
export function checkName(name: string, raw: Uint8Array, limits: ArchiveLimits): void {
  if (name.includes('\0') || raw.includes(0)) refuse('NUL in a name', name);
  if (controlCharacter.test(name) || raw.some(isControlByte)) {
    refuse('control character in a name', name);
  }
  if (name.includes('\\')) refuse('backslash in a name', name);
  if (/^[A-Za-z]:/.test(name)) refuse('drive letter in a name', name);
  if (name.startsWith('/')) refuse('absolute name', name);
  const segments = name.split('/');
  for (const segment of segments) {
    if (segment === '.' || segment === '..') refuse('dot segment in a name', name);
    if (segment === '') refuse('empty segment in a name', name);
    if (Buffer.byteLength(segment) > maxSegmentBytes) refuse('name segment too long', name);
  }
  if (Buffer.byteLength(name) > limits.maxNameBytes) refuse('name too long', name);
  if (segments.length > limits.maxDepth) refuse('name too deep', name);
}

function isControlByte(byte: number): boolean {
  return byte < 0x20 || byte === 0x7f;
}

/** Every node of one archive so far. Names that differ only in Unicode normalisation are one name. */
export class EntryTree {
  readonly #nodes = new Map<string, Node>();
  readonly #limits: ArchiveLimits;

  constructor(limits: ArchiveLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#nodes.size;
  }

  kindOf(path: string): NodeKind | undefined {
    const node = this.#nodes.get(path.normalize('NFC'));
    return node?.path === path ? node.kind : undefined;
  }

  /** Records an entry whose name has been checked. Returns the directories it needs that are new, outermost first. */
  add(path: string, kind: NodeKind, target?: string): readonly string[] {
    const implied: string[] = [];
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const ancestor = path.slice(0, end);
      if (this.#addDirectory(ancestor)) implied.push(ancestor);
    }
    if (kind === 'directory') {
      if (this.#addDirectory(path)) implied.push(path);
      return implied;
    }
    const known = this.#nodes.get(path.normalize('NFC'));
    if (known !== undefined) {
      refuse(known.kind === 'directory' ? 'both a file and a directory' : 'duplicate name', path);
    }
    this.#set({ path, kind, ...(target === undefined ? {} : { target }) });
    return implied;
  }

  /** Refuses links that lead out of the tree, through whatever other links; call it when all entries are known. */
  checkLinks(): void {
    for (const node of this.#nodes.values()) {
      if (node.target !== undefined) this.#follow(node.path, node.target);
    }
  }

  /** True when the directory is new. A directory listed twice under one spelling is harmless. */
  #addDirectory(path: string): boolean {
    const known = this.#nodes.get(path.normalize('NFC'));
    if (known === undefined) {
      this.#set({ path, kind: 'directory' });
      return true;
    }
    if (known.path !== path) refuse('duplicate name after normalisation', path);
    if (known.kind !== 'directory') refuse(`a ${known.kind} used as a directory`, path);
    return false;
  }

  #set(node: Node): void {
    if (this.#nodes.size >= this.#limits.maxEntries) refuse('too many entries');
    this.#nodes.set(node.path.normalize('NFC'), node);
  }

  #follow(path: string, target: string): void {
    const at = path.split('/').slice(0, -1);
    const pending = target.split('/').toReversed();
    for (let hops = 0; pending.length > 0; ) {
      const segment = pending.pop();
      if (segment === undefined || segment === '' || segment === '.') continue;
      if (segment === '..') {
        if (at.pop() === undefined) refuse('symbolic link out of the package', path);
        continue;
      }
      const node = this.#nodes.get([...at, segment].join('/').normalize('NFC'));
      if (node?.target === undefined) {
        at.push(segment);
        continue;
      }
      hops += 1;
      if (hops > maxLinkHops) refuse('symbolic links in a circle', path);
      pending.push(...node.target.split('/').toReversed());
    }
  }
}

/** The checks on what a symbolic link says, before it is known what it leads through. */
export function checkLinkTarget(path: string, target: string, limits: ArchiveLimits): void {
  if (target === '') refuse('symbolic link without a target', path);
  if (Buffer.byteLength(target) > limits.maxNameBytes) refuse('symbolic link too long', path);
  if (controlCharacter.test(target)) refuse('control character in a symbolic link', path);
  if (target.includes('\ufffd')) refuse('symbolic link not in UTF-8', path);
  if (target.startsWith('/')) refuse('absolute symbolic link', path);
}
