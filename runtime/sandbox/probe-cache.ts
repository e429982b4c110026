// The probes' findings, kept between starts of one boot, so that a restart does not pay for them again.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { hasErrorCode } from '../error-code.ts';
import type { ProbeFacts } from './probe.ts';

/** Raised when the probes or the facts change, so that an older host's file is not believed. */
const format = 1;

export interface CachedProbe {
  readonly bwrapVersion: string;
  readonly facts: ProbeFacts;
}

/** One key for all that may change a finding: this boot, our user, bwrap itself, what it is asked to do. */
export function probeKey(bwrap: string | undefined, asked: unknown): string {
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const stat = bwrap === undefined ? undefined : statSync(bwrap);
  const about = [
    format,
    boot,
    process.getuid?.(),
    bwrap,
    stat?.size,
    stat?.mtimeMs,
    stat?.ino,
    asked,
  ];
  return createHash('sha256').update(JSON.stringify(about)).digest('hex');
}

/** Undefined when nothing (or nothing readable) is kept under that key. */
export function readProbe(file: string, key: string): CachedProbe | undefined {
  try {
    const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof kept !== 'object' || kept === null || !('key' in kept) || kept.key !== key) return;
    // The key covers the format: who wrote this key wrote this shape.
    return kept as unknown as CachedProbe; // the key is a hash over the format's number
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Replaces the file as a whole. */
export function writeProbe(file: string, key: string, probe: CachedProbe): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, JSON.stringify({ key, ...probe }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
