// For a name that nobody knows: the known one that was perhaps meant.

/** `; did you mean NAME?`, or nothing when no known name is near. */
export function nearest(name: string, known: readonly string[]): string {
  const distances = known.map((each) => ({
    each,
    distance: isCutShort(name, each) ? 0 : editDistance(name, each),
  }));
  const [best] = distances.toSorted((a, b) => a.distance - b.distance);
  if (best === undefined || best.distance > Math.max(2, name.length / 3)) return '';
  return `; did you mean ${best.each}?`;
}

/** Only the last word is missing: LAMBKIN_DATA for LAMBKIN_DATA_DIR. */
function isCutShort(name: string, known: string): boolean {
  const isBeginning = known.toLowerCase().startsWith(name.toLowerCase());
  return isBeginning && /^[._-][^._-]+$/.test(known.slice(name.length));
}

/** How many characters to insert, remove or replace; capitals count as their small letters. */
function editDistance(left: string, right: string): number {
  const [a, b] = [left.toLowerCase(), right.toLowerCase()];
  let previous = Array.from({ length: b.length + 1 }, (_, n) => n);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous.at(-1) ?? 0;
}
