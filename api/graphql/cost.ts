import type { FieldComplexityValue } from '@pothos/plugin-complexity';
import { DEFAULT_PAGE, MAX_PAGE, type PageArgs } from './paging.ts';

/** Counting a whole list reads all of it. */
export const TOTAL_COUNT_COST = 50;

/** A page costs what is selected of an item, once for each item it may hold. */
export function pageCost(args: PageArgs): FieldComplexityValue {
  const size = args.first ?? args.last ?? DEFAULT_PAGE;
  return { field: 2, multiplier: Math.min(Math.max(1, size), MAX_PAGE) };
}
