const numbers = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });

const counts = new Intl.NumberFormat();

/** How many, in full, in the reader's locale. */
export const formatCount = (count: number): string => counts.format(count);

const shares = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });

/** A share of 0 to 1 in percent; only the whole reads as 100 %. */
export const formatShare = (share: number): string => shares.format(share < 1 ? Math.min(share, 0.999) : 1);

/** A metric's value as text: numbers in the reader's locale, booleans as on and off, anything else as JSON. */
export function formatValue(value: unknown): string {
  if (typeof value === 'number') return numbers.format(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '–' : JSON.stringify(value);
}

/** A mean as text, with as many decimals as matter in a line that spans `spread`. */
export function formatMean(value: number, spread: number): string {
  const decimals = spread > 0 ? Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(spread)))) : 3;
  return value.toLocaleString(undefined, { maximumFractionDigits: decimals });
}
