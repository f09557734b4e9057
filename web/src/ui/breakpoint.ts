import { useSyncExternalStore } from 'react';

/** From which page width something is shown: any, 640, 1024 or 1280 px. */
export type Breakpoint = 'base' | 'sm' | 'lg' | 'xl';

const widths: Record<Exclude<Breakpoint, 'base'>, string> = {
  sm: '(min-width: 40rem)',
  lg: '(min-width: 64rem)',
  xl: '(min-width: 80rem)',
};
const queries = (['xl', 'lg', 'sm'] as const).map((name) => ({
  name,
  query: window.matchMedia(widths[name]),
}));
const order: readonly Breakpoint[] = ['base', 'sm', 'lg', 'xl'];

function subscribe(listener: () => void): () => void {
  for (const { query } of queries) query.addEventListener('change', listener);
  return () => {
    for (const { query } of queries) query.removeEventListener('change', listener);
  };
}

function read(): Breakpoint {
  return queries.find(({ query }) => query.matches)?.name ?? 'base';
}

/** The widest breakpoint the page reaches now. */
export function useBreakpoint(): Breakpoint {
  return useSyncExternalStore(subscribe, read);
}

/** Whether a page at `current` shows what begins at `from`. */
export function reaches(current: Breakpoint, from: Breakpoint): boolean {
  return order.indexOf(current) >= order.indexOf(from);
}
