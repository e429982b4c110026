// Links that anyone who holds them may GET until they expire, such as the Code.Location of GetFunction. Nothing is stored: the
// link carries its end and a MAC under a key of the host.
import { createHmac } from 'node:crypto';
import type { HostKey } from '../auth/host-key.ts';
import { equalSecrets } from '../auth/signing-key.ts';

/** How long the links of GetFunction and GetLayerVersion hold. */
export const linkLifeMs = 600_000;

const expiresKey = 'X-Lambkin-Expires';
const signatureKey = 'X-Lambkin-Signature';
/** What {@link SignedLinks.signLink} appends, at the very end. */
const signedForm = new RegExp(
  `^(.+)[?&]${expiresKey}=(\\d{1,12})&${signatureKey}=([\\w-]{43})$`,
  's',
);

export type LinkVerdict =
  /** `path`: what was signed, query included. */
  | { readonly kind: 'valid'; readonly path: string }
  | { readonly kind: 'expired' }
  | { readonly kind: 'invalid' };

export interface SignedLinks {
  /** The path (with its query, if any) and what makes it a link; `expiresAt` is epoch milliseconds, rounded up to seconds. */
  signLink(path: string, expiresAt: number): string;
  /** Judges a request's raw target; `now` is epoch milliseconds. Never throws. For GET and HEAD only. */
  verifyLink(target: string, now: number): LinkVerdict;
}

export function createSignedLinks(options: { readonly hostKey: HostKey }): SignedLinks {
  const key = options.hostKey.derive('signed link');
  const macOf = (path: string, expires: string): string =>
    createHmac('sha256', key).update(`${expires}\n${path}`).digest('base64url');
  return {
    signLink(path, expiresAt) {
      const expires = `${Math.ceil(expiresAt / 1000)}`;
      const joint = path.includes('?') ? '&' : '?';
      return `${path}${joint}${expiresKey}=${expires}&${signatureKey}=${macOf(path, expires)}`;
    },
    verifyLink(target, now) {
      const [, path, expires, mac] = signedForm.exec(target) ?? [];
      if (path === undefined || expires === undefined || mac === undefined)
        return { kind: 'invalid' };
      if (!equalSecrets(mac, macOf(path, expires))) return { kind: 'invalid' };
      return now < Number(expires) * 1000 ? { kind: 'valid', path } : { kind: 'expired' };
    },
  };
}
