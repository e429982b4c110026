// Names of accounts, regions and groups as names of directories: safe on every file system, distinct, still readable.
import { createHash } from 'node:crypto';

const MAX_READABLE_LENGTH = 150;

/**
 * The directory name for a log name. Everything but letters, digits, `_`, `-` and inner dots is percent-encoded. A name that is
 * long, or has capitals (some file systems do not tell them from small letters), ends in `~` and a digest of the whole name.
 */
export function directoryName(name: string): string {
  const readable = Array.from(Buffer.from(name), encodeByte).join('').replace(/^\./, '%2E');
  if (readable.length <= MAX_READABLE_LENGTH && !/[A-Z]/.test(name)) return readable;
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 32);
  return `${readable.slice(0, MAX_READABLE_LENGTH)}~${digest}`;
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  if (/[A-Za-z0-9_.-]/.test(character)) return character;
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
