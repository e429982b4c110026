// The two spellings of time in a signature: `yyyymmddTHHMMSSZ` and the HTTP date of RFC 7231.

const basicForm = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
const httpDateForm = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Epoch milliseconds of `yyyymmddTHHMMSSZ`; undefined for anything else, impossible dates included. */
export function parseBasicTime(text: string): number | undefined {
  const iso = text.replace(basicForm, '$1-$2-$3T$4:$5:$6Z');
  if (iso === text) return undefined;
  const atMs = Date.parse(iso);
  // Date.parse takes 30 February for 1 March.
  return formatBasicTime(atMs) === text ? atMs : undefined;
}

/** Epoch milliseconds of a `Date` header, which may hold either form; undefined for anything else. */
export function parseDateHeader(text: string): number | undefined {
  if (!httpDateForm.test(text)) return parseBasicTime(text);
  const atMs = Date.parse(text);
  return Number.isNaN(atMs) ? undefined : atMs;
}

/** `yyyymmddTHHMMSSZ` of epoch milliseconds, fractions cut off; empty for a time that no calendar has. */
export function formatBasicTime(atMs: number): string {
  if (Number.isNaN(new Date(atMs).getTime())) return '';
  return `${new Date(atMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
}
