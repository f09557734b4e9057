export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN = 0x7b;
export const CLOSE = 0x7d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const DELETE = 0x7f;
const LARGE_E = 0x45;
const SMALL_E = 0x65;

/** A decimal number of so many digits is found again in a double, and is what JavaScript prints of it. */
const EXACT_DIGITS = 15;

/** The bytes of a text that is ASCII. */
export const asciiBytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** Where what stands at `at` begins, after blanks. */
export function skipBlanks(bytes: Uint8Array, at: number): number {
  let place = at;
  for (;;) {
    const byte = bytes[place];
    if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return place;
    place++;
  }
}

/** Whether these bytes stand at `at`. */
export function standsAt(bytes: Uint8Array, at: number, wanted: Uint8Array): boolean {
  for (let index = 0; index < wanted.length; index++) {
    if (bytes[at + index] !== wanted[index]) return false;
  }
  return true;
}

/** The text of these bytes, which are ASCII. */
export function asciiText(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1');
}

/** Where the string ends that begins behind the quote before `at`: its closing quote, or -1 where it holds escapes or more than ASCII. */
export function plainStringEnd(bytes: Uint8Array, at: number): number {
  for (let place = at; ; place++) {
    const byte = bytes[place];
    if (byte === QUOTE) return place;
    if (byte === undefined || byte < SPACE || byte > DELETE || byte === BACKSLASH) return -1;
  }
}

/**
 * Where the JSON number ends that begins at `at`: as it is where JavaScript prints the number with the same characters, negative where it
 * may not (more than 15 digits, an exponent, zeros at the end, `-0`, less than a thousandth), 0 where there is no number.
 */
export function numberEnd(bytes: Uint8Array, at: number): number {
  const first = bytes[at] === MINUS ? at + 1 : at;
  const whole = wholeEnd(bytes, first);
  if (whole === first) return 0;
  let end = whole;
  let digits = whole - first;
  let plain = true;
  if (bytes[whole] === DOT) {
    end = digitsEnd(bytes, whole + 1);
    if (end === whole + 1) return 0;
    digits += end - whole - 1;
    const small = bytes[first] === ZERO && bytes[whole + 1] === ZERO && bytes[whole + 2] === ZERO;
    plain = bytes[end - 1] !== ZERO && !(small && bytes[whole + 3] === ZERO);
  } else if (first !== at && bytes[first] === ZERO) plain = false;
  if (bytes[end] === SMALL_E || bytes[end] === LARGE_E) {
    const sign = bytes[end + 1];
    const exponent = sign === MINUS || sign === PLUS ? end + 2 : end + 1;
    end = digitsEnd(bytes, exponent);
    if (end === exponent) return 0;
    plain = false;
  }
  return plain && digits <= EXACT_DIGITS ? end : -end;
}

function wholeEnd(bytes: Uint8Array, at: number): number {
  return bytes[at] === ZERO ? at + 1 : digitsEnd(bytes, at);
}

function digitsEnd(bytes: Uint8Array, at: number): number {
  let place = at;
  for (;;) {
    const byte = bytes[place];
    if (byte === undefined || byte < ZERO || byte > NINE) return place;
    place++;
  }
}

const TENS = Float64Array.from({ length: EXACT_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** The number that stands there, which is one that JavaScript prints with the same characters. */
export function plainNumber(bytes: Uint8Array, from: number, to: number): number {
  let digits = 0;
  let decimals = 0;
  let behindDot = false;
  for (let place = from; place < to; place++) {
    const byte = bytes[place] ?? 0;
    if (byte === DOT) behindDot = true;
    else if (byte !== MINUS) {
      digits = digits * 10 + (byte - ZERO);
      if (behindDot) decimals++;
    }
  }
  // Both are exact, so the quotient is the nearest double, as JSON.parse would give it.
  const value = digits / (TENS[decimals] ?? 1);
  return bytes[from] === MINUS ? -value : value;
}
