const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** Keys as they are printed on the reader's keyboard: `mod+k` is ⌘ K or Ctrl K. */
export function Kbd({ keys }: { keys: string }) {
  const parts = keys
    .split(/[ +]/)
    .map((key) => (key === 'mod' ? (isMac ? '⌘' : 'Ctrl') : key.length === 1 ? key.toUpperCase() : key));
  return (
    <span className="inline-flex gap-1">
      {parts.map((part) => (
        <kbd
          key={part}
          className="inline-grid h-5 min-w-5 place-items-center rounded-sm border border-line bg-sunken px-1 font-sans text-2xs text-ink-2"
        >
          {part}
        </kbd>
      ))}
    </span>
  );
}
