import { Check } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { createContext, type ReactNode, use, useCallback, useRef } from 'react';
import { cx } from './class-names.ts';

const panel =
  'menu-in z-50 max-h-(--radix-dropdown-menu-content-available-height) min-w-44 overflow-y-auto rounded-lg border border-line bg-raised p-1 shadow-2';
const row =
  'flex min-h-8 cursor-pointer select-none items-center gap-2 rounded-md px-2 text-sm outline-none data-[highlighted]:bg-hover data-[disabled]:pointer-events-none data-[disabled]:text-ink-3';

type MenuProps = {
  trigger: ReactNode;
  children: ReactNode;
  align?: 'start' | 'end';
  side?: 'top' | 'bottom';
};

/** Takes what a chosen item does until the menu has closed and given the focus back. */
const AfterClose = createContext<(run: () => void) => void>((run) => run());

/** A menu under its trigger; `trigger` is one button. What an item opens finds the focus on that button. */
export function Menu({ trigger, children, align = 'start', side = 'bottom' }: MenuProps) {
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
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>{trigger}</DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content
          align={align}
          side={side}
          sideOffset={5}
          collisionPadding={8}
          className={panel}
          onCloseAutoFocus={onClosed}
        >
          <AfterClose value={afterClose}>{children}</AfterClose>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

type MenuItemProps = { onSelect: () => void; children: ReactNode; danger?: boolean; disabled?: boolean };

export function MenuItem({ onSelect, children, danger = false, disabled = false }: MenuItemProps) {
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

type MenuCheckProps = { checked: boolean; onChange: (checked: boolean) => void; children: ReactNode };

/** An item that is on or off; the menu stays open. */
export function MenuCheck({ checked, onChange, children }: MenuCheckProps) {
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

type MenuChoiceProps<Value extends string> = {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { readonly value: Value; readonly label: string; readonly icon?: ReactNode }[];
};

/** One of several. */
export function MenuChoice<Value extends string>({ value, onChange, options }: MenuChoiceProps<Value>) {
  return (
    <DropdownMenu.RadioGroup value={value}>
      {options.map((option) => (
        <DropdownMenu.RadioItem
          key={option.value}
          value={option.value}
          className={row}
          onSelect={() => onChange(option.value)}
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

export function MenuLabel({ children }: { children: ReactNode }) {
  return <DropdownMenu.Label className="px-2 pt-1.5 pb-1 text-ink-3 text-xs">{children}</DropdownMenu.Label>;
}

export function MenuLine() {
  return <DropdownMenu.Separator className="-mx-1 my-1 h-px bg-line" />;
}
