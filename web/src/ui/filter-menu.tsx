import { ChevronDown } from 'lucide-react';
import { buttonClass } from './button.tsx';
import { cx } from './class-names.ts';
import { Menu, MenuCheck, MenuItem, MenuLine } from './menu.tsx';

export type FilterOption<Value extends string> = { readonly value: Value; readonly label: string };

type FilterMenuProps<Value extends string> = {
  label: string;
  options: readonly FilterOption<Value>[];
  value: readonly Value[];
  onChange: (value: readonly Value[]) => void;
};

/** A filter of several choices; nothing chosen means everything. */
export function FilterMenu<Value extends string>({
  label,
  options,
  value,
  onChange,
}: FilterMenuProps<Value>) {
  const chosen = options.filter((option) => value.includes(option.value));
  const summary = chosen.length === 1 ? chosen[0]?.label : chosen.length > 1 ? String(chosen.length) : '';
  return (
    <Menu
      trigger={
        <button
          type="button"
          className={cx(
            buttonClass('plain'),
            'max-w-52 px-2.5',
            chosen.length > 0 && 'border-accent bg-accent-soft',
          )}
        >
          <span className={chosen.length > 0 ? 'text-ink' : 'text-ink-2'}>{label}</span>
          {summary && <span className="truncate font-semibold text-accent">{summary}</span>}
          <ChevronDown aria-hidden="true" className="size-3.5 text-ink-3" />
        </button>
      }
    >
      {options.map((option) => (
        <MenuCheck
          key={option.value}
          checked={value.includes(option.value)}
          onChange={(checked) =>
            onChange(checked ? [...value, option.value] : value.filter((each) => each !== option.value))
          }
        >
          {option.label}
        </MenuCheck>
      ))}
      {chosen.length > 0 && (
        <>
          <MenuLine />
          <MenuItem onSelect={() => onChange([])}>Clear</MenuItem>
        </>
      )}
    </Menu>
  );
}
