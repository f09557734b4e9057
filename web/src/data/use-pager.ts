import { useSyncExternalStore } from 'react';
import type { Pager, PagerState } from './pager.ts';

/** Renders with the pager's state; the pager must be the same object between renders. */
export function usePager<Node>(pager: Pager<Node>): PagerState<Node> {
  return useSyncExternalStore(pager.subscribe, pager.getState);
}
