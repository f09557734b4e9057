/** Compares names of metrics by where the database puts them in an object: shorter ones first, then by their characters. */
export const inDatabaseOrder = (one: string, other: string): number =>
  one.length - other.length || (one < other ? -1 : 1);
