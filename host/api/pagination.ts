// Pages of a listing. A marker holds the last key of its page, so a walk goes on when the item it points at is gone.
import { ServiceError } from '../service-error.ts';

/** What a listing is ordered by: text by its UTF-8 bytes, as the store lists it, or numbers. */
export type PageKey = string | number;

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Undefined on the last page. */
  readonly nextMarker: string | undefined;
}

/**
 * The items after `marker`, at most `maxItems` and never more than `cap`. `items` must be in ascending order of their keys, each key
 * once; a listing that descends gives negative numbers. Throws InvalidParameterValueException for a marker that no page of such a
 * listing ended with.
 */
export function page<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => PageKey,
  marker: string | undefined,
  maxItems: number | undefined,
  cap: number,
): Page<Item> {
  const itemsAfter = (after: PageKey | undefined) =>
    itemsFrom(items, firstAfter(items, keyOf, after));
  return pageFrom(itemsAfter, keyOf, marker, maxItems, cap);
}

/**
 * As {@link page}, for listings that are made while they are walked: `itemsAfter` yields, in ascending order, the items whose keys
 * are greater than the one given. No more of them are asked for than the page needs.
 */
export function pageFrom<Item>(
  itemsAfter: (after: PageKey | undefined) => Iterable<Item>,
  keyOf: (item: Item) => PageKey,
  marker: string | undefined,
  maxItems: number | undefined,
  cap: number,
): Page<Item> {
  // The service limits larger wishes silently; none or zero means as many as the cap allows.
  const size = maxItems ? Math.min(maxItems, cap) : cap;
  const items: Item[] = [];
  for (const item of itemsAfter(decodeKey(marker))) {
    const last = items.at(-1);
    if (items.length === size && last !== undefined)
      return { items, nextMarker: encodeMarker(keyOf(last)) };
    items.push(item);
  }
  return { items, nextMarker: undefined };
}

/** Where the items with keys greater than `after` begin. Items are ordered, so the place is found by halving. */
export function firstAfter<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => PageKey,
  after: PageKey | undefined,
): number {
  if (after === undefined) return 0;
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle] as Item; // as: middle lies below the length
    if (compare(keyOf(item), after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function* itemsFrom<Item>(items: readonly Item[], start: number): Iterable<Item> {
  for (let index = start; index < items.length; index++) yield items[index] as Item; // as: below the length
}

function compare(a: PageKey, b: PageKey): number {
  if (typeof a === 'string' && typeof b === 'string') {
    return Buffer.compare(Buffer.from(a), Buffer.from(b));
  }
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  throw invalidMarker();
}

function encodeMarker(key: PageKey): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** Only what {@link encodeMarker} writes is read. */
function decodeKey(marker: string | undefined): PageKey | undefined {
  if (!marker) return undefined;
  const key = parseKey(Buffer.from(marker, 'base64url').toString());
  if (key === undefined || encodeMarker(key) !== marker) throw invalidMarker();
  return key;
}

function parseKey(text: string): PageKey | undefined {
  try {
    const key: unknown = JSON.parse(text);
    return typeof key === 'string' || typeof key === 'number' ? key : undefined;
  } catch (error) {
    throw invalidMarker(error);
  }
}

function invalidMarker(cause?: unknown): ServiceError {
  return new ServiceError('InvalidParameterValueException', 'Invalid marker', { cause });
}
