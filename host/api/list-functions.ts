// ListFunctions: one item for each function, or one for each of its versions. A page costs what it shows, however many
// functions there are.
import type { VersionRecord } from '../functions/record.ts';
import type { OperationContext } from './context.ts';
import { listedOf, type Shown } from './function-view.ts';
import { operation } from './operation.ts';
import { firstAfter, itemsFrom, type PageKey, page, pageFrom } from './pagination.ts';

const PAGE_CAP = 50;

export const ListFunctions = operation('ListFunctions', async (input, context) => {
  const { Marker: marker, MaxItems: maxItems, MasterRegion: masterRegion } = input;
  // There are no edge replicas: another master region than "any" has none to show.
  if (masterRegion !== undefined && masterRegion !== 'ALL') return { Functions: [] };
  if (input.FunctionVersion === 'ALL') {
    const after = (key: PageKey | undefined) => versionsAfter(context, key);
    const { items, nextMarker } = pageFrom(after, keyOf, marker, maxItems, PAGE_CAP);
    const shown = items.map((item) => listedOf(context, item, item.version.version));
    return { Functions: shown, NextMarker: nextMarker };
  }
  const { account, region, functions } = context;
  const names = functions.names(account, region);
  const { items, nextMarker } = page(names, (name) => name, marker, maxItems, PAGE_CAP);
  const shown = items
    .map((name) => functions.get(account, region, name))
    .filter((record) => record !== undefined)
    .map((record) => listedOf(context, { record, version: record.latest }, undefined));
  return { Functions: shown, NextMarker: nextMarker };
});

/** Every version of every function whose key is greater, by name, `$LATEST` first and the numbers ascending. */
function* versionsAfter(context: OperationContext, after: PageKey | undefined): Iterable<Shown> {
  const { account, region, functions } = context;
  const names = functions.names(account, region);
  for (const name of itemsFrom(names, firstAfter(names, lastKeyOf, after))) {
    const held = functions.held(account, region, name);
    if (held === undefined) continue;
    const record = held.root;
    const versions = [record.latest, ...functions.versionsOf(held)];
    const start = firstAfter(versions, (version) => keyOf({ record, version }), after);
    for (const version of itemsFrom(versions, start)) yield { record, version };
  }
}

/** A blank is less than every character of a name, so a name precedes those that it begins. */
function keyOf({ record, version }: Shown): string {
  return `${record.name} ${orderOf(version)}`;
}

function orderOf({ version }: VersionRecord): string {
  return version === '$LATEST' ? '' : version.padStart(12, '0');
}

/** Not less than the key of any version of the function. */
function lastKeyOf(name: string): string {
  return `${name} ~`;
}
