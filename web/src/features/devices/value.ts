const numbers = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6, useGrouping: 'min2' });

/** A metric's value as text: numbers in the reader's locale, booleans as on and off, anything else as JSON. */
export function formatValue(value: unknown): string {
  if (typeof value === 'number') return numbers.format(value);
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '–' : JSON.stringify(value);
}
