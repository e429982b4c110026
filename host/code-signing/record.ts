// What is stored of a code signing config, and its ARN.
import type { CodeSigningPolicy } from '../api/model/types.ts';
import { partitionOf, type Scope } from '../functions/names.ts';
import type { Tags } from '../tags/tags.ts';

export interface CodeSigningConfigRecord {
  readonly account: string;
  readonly region: string;
  /** `csc-` and 17 characters of a-z and 0-9. */
  readonly id: string;
  readonly description?: string | undefined;
  /** ARNs of the signing profile versions that are trusted. */
  readonly publishers: readonly string[];
  /** What becomes of a package without a trusted signature. */
  readonly policy: CodeSigningPolicy;
  /** `2024-01-01T00:00:00.000+0000`. */
  readonly lastModified: string;
  readonly tags: Tags;
}

const ID_CHARACTERS = 17;

export function newCodeSigningConfigId(newId: () => string): string {
  return `csc-${newId().replaceAll('-', '').slice(0, ID_CHARACTERS)}`;
}

export function codeSigningConfigArn({ account, region }: Scope, id: string): string {
  return `arn:${partitionOf(region)}:lambda:${region}:${account}:code-signing-config:${id}`;
}
