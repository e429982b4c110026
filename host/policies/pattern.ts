// Texts with wildcards: `*` stands for any run of characters, `?` for one. The time is bounded by the product of both lengths,
// whatever the pattern.

export function matchesPattern(text: string, pattern: string): boolean {
  let at = 0;
  let of = 0;
  // Where the last star stands, and how much of the text it has taken.
  let star = -1;
  let taken = 0;
  while (at < text.length) {
    if (pattern[of] === '*') {
      star = of;
      taken = at;
      of += 1;
    } else if (pattern[of] === '?' || pattern[of] === text[at]) {
      at += 1;
      of += 1;
    } else if (star !== -1) {
      taken += 1;
      at = taken;
      of = star + 1;
    } else return false;
  }
  while (pattern[of] === '*') of += 1;
  return of === pattern.length;
}

/** Each of the six parts of an ARN is held against its own part of the pattern: no wildcard reaches over a colon of the first five. */
export function matchesArn(arn: string, pattern: string): boolean {
  const [parts, wanted] = [arnParts(arn), arnParts(pattern)];
  if (parts === undefined || wanted === undefined) return false;
  return parts.every((part, index) => matchesPattern(part, wanted[index] ?? ''));
}

function arnParts(arn: string): readonly string[] | undefined {
  const parts = arn.split(':');
  if (parts[0] !== 'arn' || parts.length < 6) return undefined;
  return [...parts.slice(0, 5), parts.slice(5).join(':')];
}
