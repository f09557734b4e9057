import { useState } from 'react';
import { Dialog } from '../ui/dialog.tsx';
import { Kbd } from '../ui/kbd.tsx';
import { listShortcuts } from '../ui/shortcuts.ts';

/** The keys that work on the page behind. */
export function ShortcutHelp({ onOpenChange }: { onOpenChange: (open: boolean) => void }) {
  const [shortcuts] = useState(listShortcuts);
  return (
    <Dialog open onOpenChange={onOpenChange} title="Keyboard">
      <ul className="divide-y divide-line">
        {shortcuts.map(({ keys, label }) => (
          <li key={keys} className="flex items-center justify-between py-1.5">
            <span>{label}</span>
            <Kbd keys={keys} />
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
