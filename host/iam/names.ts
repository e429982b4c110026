// Names, ARNs and ids of IAM, and the members that its operations share.
import type { Caller } from '../auth/caller.ts';
import type { RandomBytes } from '../auth/host-key.ts';
import { idCharacters } from '../auth/key-material.ts';
import { partitionOf } from '../functions/names.ts';
import { integer, list, required, structure, text } from '../query/fields.ts';

/** Identities have no region: an account has one set of them in each partition. */
export interface IamScope {
  readonly account: string;
  readonly partition: string;
}

export function scopeOf({ account, region }: Caller): IamScope {
  return { account, partition: partitionOf(region) };
}

interface Named {
  readonly path: string;
  readonly name: string;
}

export function roleArn({ partition, account }: IamScope, { path, name }: Named): string {
  return `arn:${partition}:iam::${account}:role${path}${name}`;
}

export function policyArn({ partition, account }: IamScope, { path, name }: Named): string {
  return `arn:${partition}:iam::${account}:policy${path}${name}`;
}

/** Policies that the service itself provides, `arn:aws:iam::aws:policy/…`. */
export function isServicePolicy({ partition }: IamScope, arn: string): boolean {
  return arn.startsWith(`arn:${partition}:iam::aws:policy/`) && !arn.endsWith('/');
}

/** `AROA` (roles) or `ANPA` (policies), then 17 characters of A-Z2-7. */
export function makeId(prefix: 'AROA' | 'ANPA', random: RandomBytes): string {
  return `${prefix}${idCharacters(random(17))}`;
}

const NAME = '[\\w+=,.@-]+';
const PATH = '(\\u002F)|(\\u002F[\\u0021-\\u007E]+\\u002F)';

export const roleName = required(text({ min: 1, max: 64, pattern: NAME }));
export const policyName = required(text({ min: 1, max: 128, pattern: NAME }));
export const policyArnField = required(text({ min: 20, max: 2048 }));
export const versionId = required(text({ pattern: 'v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?' }));
export const path = text({ min: 1, max: 512, pattern: PATH });
export const pathPrefix = text({ min: 1, max: 512, pattern: '\\u002F[\\u0021-\\u007F]*' });
export const document = required(
  text({ min: 1, max: 131_072, pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+' }),
);
export const description = text({
  max: 1000,
  pattern: '[\\u0009\\u000A\\u000D\\u0020-\\u007E\\u00A1-\\u00FF]*',
});

const tagKey = required(text({ min: 1, max: 128, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+' }));
const tagValue = required(text({ min: 0, max: 256, pattern: '[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*' }));
export const tags = list(structure({ Key: tagKey, Value: tagValue }), 50);
export const tagKeys = required(list(tagKey, 50));

/** Of every listing. */
export const paging = {
  Marker: text({ min: 1, max: 320, pattern: '[\\u0020-\\u00FF]+' }),
  MaxItems: integer(1, 1000),
};
