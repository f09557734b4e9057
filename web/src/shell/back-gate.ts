type Watch = (event: PopStateEvent) => void;

const watches = new Set<Watch>();

/** Called before there is a router: who watches hears of Back and Forward first, and may keep it from hearing. */
export function openBackGate(): void {
  window.addEventListener('popstate', (event) => {
    for (const watch of watches) watch(event);
  });
}

/** Watches until what it returns is called. */
export function watchBack(watch: Watch): () => void {
  watches.add(watch);
  return () => watches.delete(watch);
}
