import { useMemo, useState } from 'react';
import type { DeviceOrderField, DeviceRowFragment } from '../../generated/graphql.ts';
import type { Column } from '../../ui/data-table.tsx';
import { useShortcut } from '../../ui/shortcuts.ts';

type DeviceColumn = Column<DeviceRowFragment, DeviceOrderField>;
type Selection = { readonly of: string; readonly ids: ReadonlySet<string> | 'ALL' };

/** The devices of a list that are selected: some, or all that the list has, seen or not. Another view begins without any. */
export function useSelection(view: string) {
  const [held, setHeld] = useState<Selection>({ of: view, ids: new Set() });
  const ids = held.of === view ? held.ids : new Set<string>();
  const column = useMemo((): DeviceColumn => {
    const toggle = (id: string) =>
      setHeld((before) => {
        const next = new Set(before.of === view && before.ids !== 'ALL' ? before.ids : []);
        if (!next.delete(id)) next.add(id);
        return { of: view, ids: next };
      });
    const chosen = held.of === view ? held.ids : undefined;
    return {
      id: 'select',
      header: 'Selected',
      headerHidden: true,
      track: '1rem',
      cell: ({ id, name }) => (
        <input
          type="checkbox"
          aria-label={`Select ${name}`}
          className="relative z-1 block size-4 accent-accent"
          checked={chosen === 'ALL' || chosen?.has(id) === true}
          onChange={() => toggle(id)}
        />
      ),
    };
  }, [held, view]);
  useShortcut('x', 'Select this row', () => {
    document.activeElement
      ?.closest('[data-index]')
      ?.querySelector<HTMLElement>('input[type=checkbox]')
      ?.click();
  });
  return {
    ids,
    column,
    selectAll: () => setHeld({ of: view, ids: 'ALL' }),
    clear: () => setHeld({ of: view, ids: new Set() }),
  };
}
