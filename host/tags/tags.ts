// Tags: their limits and what adding and taking away makes of them. The same rules hold for every sort of resource.
import { ServiceError } from '../service-error.ts';

/** Values by key. */
export type Tags = Readonly<Record<string, string>>;

const MAX_TAGS = 50;

/** Throws InvalidParameterValueException for more tags than a resource may have, and for keys of the service's own. */
export function checkTags(tags: Tags): void {
  const keys = Object.keys(tags);
  if (keys.length > MAX_TAGS) refuse('Number of tags exceeds resource tag limit.');
  const reserved = keys.find((key) => key.toLowerCase().startsWith('aws:'));
  if (reserved !== undefined)
    refuse(`The tag key ${reserved} is reserved: keys must not begin with aws:`);
}

/** Added tags replace those of the same key; keys ascend. Throws as {@link checkTags} does of what comes of it. */
export function withTags(current: Tags, added: Tags): Tags {
  const tags = Object.entries(added).reduce(
    (all, [key, value]) => all.set(key, value),
    new Map(Object.entries(current)),
  );
  const sorted = Object.fromEntries([...tags].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  checkTags(sorted);
  return sorted;
}

/** Keys that are not there are passed over. */
export function withoutTags(current: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys);
  return Object.fromEntries(Object.entries(current).filter(([key]) => !gone.has(key)));
}

function refuse(message: string): never {
  throw new ServiceError('InvalidParameterValueException', message);
}
