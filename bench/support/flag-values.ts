// Values of flags, checked.

/** Whole numbers of at least 1 with commas between them; `usual` where the flag is absent. */
export function wholeNumbers(value: string | boolean | undefined, usual: string): number[] {
  const text = String(value ?? usual);
  const numbers = text.split(',').map(Number);
  if (numbers.some((each) => !Number.isInteger(each) || each < 1))
    throw new Error(`not a whole number of at least 1: ${text}`);
  return numbers;
}

export function wholeNumber(value: string | boolean | undefined, usual: number): number {
  const [number = usual] = wholeNumbers(value, String(usual));
  return number;
}

export function positiveNumber(value: string | boolean | undefined, usual: number): number {
  const number = Number(value ?? usual);
  if (!(number > 0 && number < Number.POSITIVE_INFINITY))
    throw new Error(`not a number above 0: ${value}`);
  return number;
}
