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
  const size = pageSize(maxItems, cap);
  const after = decodeKey(marker);
  const start = after === undefined ? 0 : countUpTo(items, keyOf, after);
  return withNextMarker(items.slice(start, start + size + 1), size, keyOf);
}

/** How many items a page holds. The service limits larger wishes silently; none or zero means as many as the cap allows. */
export function pageSize(maxItems: number | undefined, cap: number): number {
  return maxItems ? Math.min(maxItems, cap) : cap;
}

/** For a source that finds its place by itself and was asked for one item more than `size`, to tell whether another page follows. */
export function withNextMarker<Item>(
  found: readonly Item[],
  size: number,
  keyOf: (item: Item) => PageKey,
): Page<Item> {
  const items = found.slice(0, size);
  const last = items.at(-1);
  const isLastPage = found.length <= size || last === undefined;
  return { items, nextMarker: isLastPage ? undefined : encodeMarker(keyOf(last)) };
}

/** The key after which a page of a listing with text keys begins; undefined for the first page. Throws as {@link page} does. */
export function decodeMarker(marker: string | undefined): string | undefined {
  const key = decodeKey(marker);
  if (typeof key === 'number') throw invalidMarker();
  return key;
}

/** Items are ordered, so those up to the key are found by halving. */
function countUpTo<Item>(
  items: readonly Item[],
  keyOf: (item: Item) => PageKey,
  key: PageKey,
): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const item = items[middle] as Item; // as: middle lies below the length
    if (compare(keyOf(item), key) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
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
