// Which kind of archive a deployment package is, by its first bytes.

export type ArchiveFormat = 'zip' | 'tgz' | 'tar';

/** So many first bytes tell the format. */
export const FORMAT_BYTES = 512;

const TAR_MAGIC_OFFSET = 257;

/** What is neither tar nor gzip counts as a zip, whose reader refuses it in the service's words. */
export function archiveFormat(head: Buffer): ArchiveFormat {
  if (head.toString('latin1', 0, 2) === 'PK') return 'zip';
  if (head[0] === 0x1f && head[1] === 0x8b) return 'tgz';
  const magic = head.toString('latin1', TAR_MAGIC_OFFSET, TAR_MAGIC_OFFSET + 5);
  return magic === 'ustar' ? 'tar' : 'zip';
}
