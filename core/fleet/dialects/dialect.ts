/** How a device spells what it says; the numbers in stored frames are places in this list, so it only grows at its end. */
export const DIALECTS = ['canonical', 'meter2', 'argus1'] as const;

export type Dialect = (typeof DIALECTS)[number];

/** The dialect with this name; undefined when there is none. */
export const readDialect = (name: string): Dialect | undefined => DIALECTS.find((each) => each === name);
