// The certificate and its key, read once when the host starts.
import { readFile } from 'node:fs/promises';
import type { HostConfig } from '../config.ts';

/** Undefined without TLS. Rejects with a sentence that names the setting when a file cannot be read. */
export async function readTls({ tls }: HostConfig) {
  if (tls === undefined) return undefined;
  const [cert, key] = await Promise.all([
    readTlsFile('tls.cert', tls.certFile),
    readTlsFile('tls.key', tls.keyFile),
  ]);
  return { cert, key };
}

async function readTlsFile(setting: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`${setting} cannot be read: ${why}`, { cause });
  }
}
