const SLOTS = 2 ** 14;

/**
 * Names that were read from bytes lately, so that a name that comes again is the same string and no new one. At most 16 384, one for
 * each value of a hash.
 */
export class KnownNames {
  readonly #names: string[] = new Array<string>(SLOTS).fill('');

  /** The ASCII text of so many bytes. */
  read(bytes: Buffer, from: number, length: number): string {
    let hash = length;
    for (let index = 0; index < length; index++)
      hash = (Math.imul(hash, 31) + (bytes[from + index] ?? 0)) | 0;
    const slot = (hash ^ (hash >>> 14)) & (SLOTS - 1);
    const known = this.#names[slot];
    if (known !== undefined && known.length === length && isAt(known, bytes, from)) return known;
    const name = bytes.toString('latin1', from, from + length);
    this.#names[slot] = name;
    return name;
  }
}

function isAt(name: string, bytes: Buffer, from: number): boolean {
  for (let index = 0; index < name.length; index++) {
    if (name.charCodeAt(index) !== bytes[from + index]) return false;
  }
  return true;
}
