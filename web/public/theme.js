// Runs before the first paint, so that a dark page never flashes light. src/ui/theme.ts keeps it in step afterwards.
(() => {
  let choice = 'system';
  try {
    choice = localStorage.getItem('fleetgraph.theme') ?? 'system';
  } catch {
    // Storage may be refused; the system's choice is a fine default.
  }
  const dark =
    choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
