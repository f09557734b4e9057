/** An opaque id: what it is the id of, and the key of the row. */
export interface GlobalId {
  readonly typename: string;
  readonly id: string;
}

export function encodeGlobalId(typename: string, id: string | number | bigint): string {
  return Buffer.from(`${typename}:${id}`).toString('base64url');
}

/** Undefined when the text is not one of our ids. */
export function readGlobalId(text: string): GlobalId | undefined {
  const [, typename, id] =
    /^([A-Za-z]+):([\w.:-]{1,200})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  return typename && id ? { typename, id } : undefined;
}

const MAX_ROW_ID = 2_147_483_647;

/** The row key in an id of the given type; undefined when it is something else. */
export function readRowId(text: string, typename: string): number | undefined {
  const global = readGlobalId(text);
  return global?.typename === typename ? readRowKey(global.id) : undefined;
}

/** A row key as a number that fits the column; undefined otherwise. */
export function readRowKey(text: string): number | undefined {
  const id = /^\d{1,10}$/.test(text) ? Number(text) : 0;
  return id > 0 && id <= MAX_ROW_ID ? id : undefined;
}
