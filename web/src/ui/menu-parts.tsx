import { Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { createContext, type FocusEvent, type ReactNode, use, useCallback, useRef } from 'react';
import { cx } from './class-names.ts';
import type { MenuCheckProps, MenuItemProps, MenuProps } from './menu.tsx';

const panel =
  'menu-in z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-2';
const row =
  'flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-md px-2 text-sm outline-none data-[highlighted]:bg-hover data-[disabled]:pointer-events-none data-[disabled]:text-ink-3';

/** Takes what a chosen item does until the menu has closed and given the focus back. */
const AfterClose = createContext<(run: () => void) => void>((run) => run());

type OpenMenuProps = MenuProps & { readonly byKeyboard: boolean };

/** A menu that is open from the beginning, by keyboard with the focus on its first item. */
export function OpenMenu({ trigger, children, align = 'start', side = 'bottom', byKeyboard }: OpenMenuProps) {
  const enters = useRef(byKeyboard);
  const enterFirst = ({ target, currentTarget }: FocusEvent) => {
    if (!enters.current || target !== currentTarget) return;
    enters.current = false;
    currentTarget.querySelector<HTMLElement>('[role^="menuitem"]:not([data-disabled])')?.focus();
  };
  const chosen = useRef<() => void>(undefined);
  const afterClose = useCallback((run: () => void) => {
    chosen.current = run;
  }, []);
  const onClosed = () => {
    const run = chosen.current;
    chosen.current = undefined;
    // Radix focuses the trigger right after this event.
    if (run) setTimeout(run);
  };
  return (
    <DropdownMenu.Root modal={false} defaultOpen>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          side={side}
          sideOffset={5}
          collisionPadding={8}
          className={panel}
          onFocus={enterFirst}
          onCloseAutoFocus={onClosed}
        >
          <AfterClose value={afterClose}>{children}</AfterClose>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

export function Item({ onSelect, children, danger = false, disabled = false }: MenuItemProps) {
  const afterClose = use(AfterClose);
  return (
    <DropdownMenu.Item
      className={cx(row, danger && 'text-bad')}
      disabled={disabled}
      onSelect={() => afterClose(onSelect)}
    >
      {children}
    </DropdownMenu.Item>
  );
}

export function CheckItem({ checked, onChange, children }: MenuCheckProps) {
  return (
    <DropdownMenu.CheckboxItem
      className={row}
      checked={checked}
      onCheckedChange={onChange}
      onSelect={(event) => event.preventDefault()}
    >
      <span className="grid size-4 place-items-center rounded-sm border border-line-strong">
        <DropdownMenu.ItemIndicator>
          <Check aria-hidden="true" className="size-3" strokeWidth={3} />
        </DropdownMenu.ItemIndicator>
      </span>
      {children}
    </DropdownMenu.CheckboxItem>
  );
}

type ChoiceProps = {
  readonly value: string;
  readonly options: readonly {
    readonly value: string;
    readonly label: string;
    readonly icon?: ReactNode;
    readonly onSelect: () => void;
  }[];
};

export function Choice({ value, options }: ChoiceProps) {
  return (
    <DropdownMenu.RadioGroup value={value}>
      {options.map((option) => (
        <DropdownMenu.RadioItem
          key={option.value}
          value={option.value}
          className={row}
          onSelect={option.onSelect}
        >
          {option.icon}
          <span className="flex-1">{option.label}</span>
          <DropdownMenu.ItemIndicator>
            <Check aria-hidden="true" className="size-3.5" />
          </DropdownMenu.ItemIndicator>
        </DropdownMenu.RadioItem>
      ))}
    </DropdownMenu.RadioGroup>
  );
}

export function Label({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-1.5 pb-1 text-ink-3 text-xs">{children}</DropdownMenu.Label>;
}

export function Line() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}
