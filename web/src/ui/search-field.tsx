import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Kbd } from './kbd.tsx';
import { useShortcut } from './shortcuts.ts';

const settleMs = 220;

type SearchFieldProps = {
  value: string;
  onChange: (value: string) => void;
  label: string;
  /** Takes the focus when it appears: for what a dialog is opened for. */
  focused?: boolean;
};

/** A search box that reports once typing pauses. `/` brings the cursor here, Escape clears. */
export function SearchField({ value, onChange, label, focused = false }: SearchFieldProps) {
  const [draft, setDraft] = useState(value);
  const [seen, setSeen] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  if (seen !== value) {
    setSeen(value);
    setDraft(value);
  }
  useEffect(() => {
    if (draft === value) return;
    const timer = setTimeout(() => onChange(draft), settleMs);
    return () => clearTimeout(timer);
  }, [draft, value, onChange]);
  useEffect(() => {
    if (focused) input.current?.focus();
  }, [focused]);
  useShortcut('/', 'Search this page', () => input.current?.focus());
  return (
    <div className="relative min-w-0 flex-1 sm:max-w-72">
      <Search aria-hidden="true" className="-translate-y-1/2 absolute top-1/2 left-2.5 size-3.5 text-ink-3" />
      <input
        ref={input}
        type="search"
        value={draft}
        aria-label={label}
        placeholder={label}
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          setDraft('');
          onChange('');
          event.currentTarget.blur();
        }}
        className="peer h-8 w-full rounded-md border border-line bg-surface pr-8 pl-8 text-sm shadow-1 placeholder:text-ink-3 [&::-webkit-search-cancel-button]:hidden"
      />
      {draft === '' && (
        <span className="-translate-y-1/2 pointer-events-none absolute top-1/2 right-1.5 hidden peer-focus:hidden sm:block">
          <Kbd keys="/" />
        </span>
      )}
    </div>
  );
}
