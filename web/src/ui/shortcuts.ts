import { useEffect, useEffectEvent } from 'react';

/** A key (`j`, `?`, `/`), two in a row (`g d`) or one with Ctrl or Command (`mod+k`). */
export type Keys = string;

type Shortcut = { readonly keys: Keys; readonly label: string; readonly run: () => void };

const shortcuts = new Set<Shortcut>();
const sequenceMs = 900;
let pending: { readonly key: string; readonly atMs: number } | undefined;

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}

function isBehindDialog(): boolean {
  return (
    document.querySelector('[role="dialog"][data-state="open"], [role="menu"][data-state="open"]') !== null
  );
}

function find(keys: Keys): Shortcut | undefined {
  return [...shortcuts].findLast((shortcut) => shortcut.keys === keys);
}

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.metaKey || event.ctrlKey) {
    fire(find(`mod+${key}`), event);
    return;
  }
  if (event.altKey || isTyping(event.target) || isBehindDialog()) return;
  const before = pending && event.timeStamp - pending.atMs < sequenceMs ? pending.key : undefined;
  pending = { key, atMs: event.timeStamp };
  fire((before !== undefined && find(`${before} ${key}`)) || find(key), event);
}

function fire(shortcut: Shortcut | undefined, event: KeyboardEvent): void {
  if (!shortcut) return;
  event.preventDefault();
  pending = undefined;
  shortcut.run();
}

/** Runs `run` on `keys` while mounted. The newest owner of a key wins. Silent while typing or behind a dialog, except `mod+…`. */
export function useShortcut(keys: Keys, label: string, run: () => void): void {
  const latest = useEffectEvent(run);
  useEffect(() => {
    const shortcut: Shortcut = { keys, label, run: () => latest() };
    if (shortcuts.size === 0) document.addEventListener('keydown', onKeyDown);
    shortcuts.add(shortcut);
    return () => {
      shortcuts.delete(shortcut);
      if (shortcuts.size === 0) document.removeEventListener('keydown', onKeyDown);
    };
  }, [keys, label]);
}

/** The keys that work on the page as it is now, in order of registration, each once. */
export function listShortcuts(): readonly { readonly keys: Keys; readonly label: string }[] {
  return [...new Map([...shortcuts].map(({ keys, label }) => [keys, { keys, label }])).values()];
}
