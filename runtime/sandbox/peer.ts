// Whose socket is at the other end of a loopback connection: by what the kernel lists of all TCP sockets of this machine.
import { readdir, readFile, readlink } from 'node:fs/promises';
import { hasErrorCode } from '../error-code.ts';

/** A TCP connection over loopback, as the end sees it that has accepted it. IPv4 addresses. */
export interface Connection {
  readonly peerAddress: string;
  readonly peerPort: number;
  readonly address: string;
  readonly port: number;
}

/** The other end's socket. */
export interface PeerSocket {
  /** Who made it, as a user of this machine. */
  readonly uid: number;
  readonly inode: number;
}

const LISTS = [
  { file: '/proc/net/tcp', prefix: '' },
  // A socket of both families that talks IPv4.
  { file: '/proc/net/tcp6', prefix: '0000000000000000FFFF0000' },
] as const;

/**
 * Looks other ends up. A list takes some 5 to 10 ms to read, nearly all of it in the kernel, and functions may connect as often as they
 * like: so one reading runs at a time, and all who ask meanwhile share the next.
 */
export class PeerSockets {
  readonly #lists: readonly { readonly prefix: string; readonly text: () => Promise<string> }[];

  constructor(read: (file: string) => Promise<string> = listText) {
    this.#lists = LISTS.map(({ file, prefix }) => ({ prefix, text: shared(() => read(file)) }));
  }

  /** Undefined when the other end is not on this machine, or gone. */
  async of(connection: Connection): Promise<PeerSocket | undefined> {
    for (const { prefix, text } of this.#lists) {
      const found = peerIn(await text(), prefix, connection);
      if (found !== undefined) return found;
    }
    return undefined;
  }
}

/** One call at a time; what is asked for during one gets the result of the next, which begins later than the question. */
function shared<T>(call: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> = Promise.resolve();
  let next: Promise<T> | undefined;
  const begin = () => {
    next = undefined;
    const begun = call();
    running = begun;
    return begun;
  };
  return () => {
    next ??= running.then(begin, begin);
    return next;
  };
}

/** The same from the text of such a list. */
export function peerIn(
  list: string,
  prefix: string,
  { peerAddress, peerPort, address, port }: Connection,
): PeerSocket | undefined {
  const theirs = `${prefix}${hexAddress(peerAddress)}:${hexPort(peerPort)}`;
  const ours = `${prefix}${hexAddress(address)}:${hexPort(port)}`;
  const at = list.indexOf(` ${theirs} ${ours} `);
  if (at < 0) return undefined;
  const line = list.slice(at + 1, list.indexOf('\n', at));
  // Their address, ours, state, queues, timer, retransmits, uid, timeout, inode.
  const [, , , , , , uid, , inode] = line.split(/\s+/);
  return { uid: Number(uid), inode: Number(inode) };
}

/** Whether one of these processes has the socket open. */
export async function holdsSocket(pids: readonly number[], inode: number): Promise<boolean> {
  const link = `socket:[${inode}]`;
  for (const pid of pids) if ((await descriptorsOf(pid)).includes(link)) return true;
  return false;
}

async function descriptorsOf(pid: number): Promise<readonly string[]> {
  try {
    const names = await readdir(`/proc/${pid}/fd`);
    return await Promise.all(names.map((name) => linkText(`/proc/${pid}/fd/${name}`)));
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return [];
    throw error;
  }
}

/** Empty for one that was closed meanwhile. */
async function linkText(file: string): Promise<string> {
  try {
    return await readlink(file);
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT', 'ESRCH', 'EACCES', 'EPERM')) return '';
    throw error;
  }
}

async function listText(file: string): Promise<string> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) return ''; // a machine without IPv6
    throw error;
  }
}

/** As the kernel of a little-endian machine prints it. */
function hexAddress(address: string): string {
  const bytes = address.split('.').map((part) => hex(Number(part), 2));
  return bytes.toReversed().join('');
}

function hexPort(port: number): string {
  return hex(port, 4);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
