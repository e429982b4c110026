// Which service a request says it is signed for, before anything of it is believed: that is who must verify it.
import type { SignedRequest } from './carrier.ts';

const IN_HEADER = /Credential=[^/,\s]+\/[^/,]*\/[^/,]*\/([^/,]+)\//;
const IN_QUERY = /[?&]X-Amz-Credential=([^&]*)/;
const CREDENTIAL = /^[^/]+\/[^/]*\/[^/]*\/([^/]+)\//;

/** The service of a signature's scope, in the header or in a presigned query; undefined where there is none. */
export function claimedService({
  target,
  rawHeaders,
}: Omit<SignedRequest, 'method'>): string | undefined {
  for (let index = 0; index + 1 < rawHeaders.length; index += 2)
    if (rawHeaders[index]?.toLowerCase() === 'authorization')
      return IN_HEADER.exec(rawHeaders[index + 1] ?? '')?.[1];
  const credential = IN_QUERY.exec(target)?.[1];
  if (credential === undefined) return undefined;
  return CREDENTIAL.exec(credential.replaceAll(/%2f/gi, '/'))?.[1];
}
