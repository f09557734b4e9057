/** What every subscription to changes has alike. */

/** The field `cursor` of a snapshot. */
export const snapshotCursor = {
  type: 'Cursor',
  description: 'Every change behind it follows; one it shows already may come again.',
} as const;

/** The field `cursor` of a change. */
export const changeCursor = { type: 'Cursor', description: 'Resumes behind this change.' } as const;

/** The argument `after`. */
export const afterCursor = {
  type: 'Cursor',
  description: 'Continue behind this cursor, without a snapshot.',
} as const;

/** The description of one that begins like this. */
export const resumable = (what: string): string =>
  `${what} Reconnect with the newest \`cursor\` as \`after\` to get every change since.`;

/** What one costs: events come for as long as somebody listens. */
export const liveCost = { field: 20, multiplier: 5 } as const;
