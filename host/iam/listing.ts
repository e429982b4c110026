// Pages and tags as IAM shows and takes them.
import { type PageKey, page } from '../api/pagination.ts';
import type { XmlValue } from '../query/xml.ts';
import type { Tags } from '../tags/tags.ts';
import { invalidInput, limitExceeded } from './errors.ts';

const DEFAULT_PAGE = 100;
const LONGEST_PAGE = 1000;
const MAX_TAGS = 50;

export interface PageWish {
  readonly Marker: string | undefined;
  readonly MaxItems: number | undefined;
}

/** One page under the name of its list. `items` ascend by their key. Throws ValidationError for a marker that is none. */
export function pageOf<Item>(
  name: string,
  items: readonly Item[],
  keyOf: (item: Item) => PageKey,
  show: (item: Item) => XmlValue,
  { Marker, MaxItems }: PageWish,
): Readonly<Record<string, XmlValue | undefined>> {
  const found = page(items, keyOf, Marker, MaxItems ?? DEFAULT_PAGE, LONGEST_PAGE);
  return {
    [name]: found.items.map(show),
    IsTruncated: found.nextMarker !== undefined,
    Marker: found.nextMarker,
  };
}

export interface Tag {
  readonly Key: string;
  readonly Value: string;
}

/** By key, ascending. */
export function shownTags(tags: Tags): readonly { readonly Key: string; readonly Value: string }[] {
  return Object.entries(tags)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}

/** Undefined for none: an entity without tags shows no list. */
export function shownTagsIfAny(tags: Tags): XmlValue | undefined {
  return Object.keys(tags).length === 0 ? undefined : shownTags(tags);
}

/** Added tags replace those of the same key, whatever its case. Throws InvalidInput and LimitExceeded. */
export function withTags(current: Tags, added: readonly Tag[]): Tags {
  const keys = added.map(({ Key }) => Key.toLowerCase());
  if (new Set(keys).size < keys.length)
    throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.');
  if (keys.some((key) => key.startsWith('aws:')))
    throw invalidInput('Tag keys that start with aws: are reserved.');
  const kept = Object.entries(current).filter(([key]) => !keys.includes(key.toLowerCase()));
  const entries = [...kept, ...added.map(({ Key, Value }) => [Key, Value] as const)];
  if (entries.length > MAX_TAGS)
    throw limitExceeded(`The number of tags has reached the maximum limit of ${MAX_TAGS}.`);
  return Object.fromEntries(entries);
}

/** Keys that are not there are passed over. */
export function withoutTags(current: Tags, keys: readonly string[]): Tags {
  const gone = new Set(keys.map((key) => key.toLowerCase()));
  return Object.fromEntries(
    Object.entries(current).filter(([key]) => !gone.has(key.toLowerCase())),
  );
}
