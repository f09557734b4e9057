import {
  type ComponentProps,
  cloneElement,
  createContext,
  type KeyboardEvent,
  type MouseEvent,
  type ReactElement,
  type ReactNode,
  use,
  useState,
} from 'react';
import { announce } from './toast.tsx';

export type MenuProps = {
  trigger: ReactElement<ComponentProps<'button'>>;
  children: ReactNode;
  align?: 'start' | 'end';
  side?: 'top' | 'bottom';
};

/** What menus are made of weighs more than all the pages that have one: it comes when somebody reaches for the first. */
type Parts = typeof import('./menu-parts.tsx');
const loadParts = (): Promise<Parts> => import('./menu-parts.tsx');
const preload = () => void loadParts().catch(() => undefined);

const LoadedParts = createContext<Parts | undefined>(undefined);

function useParts(): Parts {
  const parts = use(LoadedParts);
  if (!parts) throw new Error('a part of a menu stands outside of one');
  return parts;
}

/** A menu under its trigger; `trigger` is one button. What an item opens finds the focus on that button. */
export function Menu(props: MenuProps) {
  const [opened, setOpened] = useState<{ readonly parts: Parts; readonly byKeyboard: boolean }>();
  const open = (byKeyboard: boolean) =>
    loadParts().then(
      (parts) => setOpened({ parts, byKeyboard }),
      () => announce('The menu did not load. Check the connection and try again.', 'bad'),
    );
  if (opened) {
    const { OpenMenu } = opened.parts;
    return (
      <LoadedParts value={opened.parts}>
        <OpenMenu {...props} byKeyboard={opened.byKeyboard} />
      </LoadedParts>
    );
  }
  return cloneElement(props.trigger, {
    'aria-haspopup': 'menu',
    'aria-expanded': false,
    onPointerEnter: preload,
    onFocus: preload,
    onClick: (event: MouseEvent) => void open(event.detail === 0),
    onKeyDown(event: KeyboardEvent) {
      if (event.key !== 'ArrowDown') return;
      event.preventDefault();
      void open(true);
    },
  });
}

export type MenuItemProps = {
  onSelect: () => void;
  children: ReactNode;
  danger?: boolean;
  disabled?: boolean;
};

export function MenuItem(props: MenuItemProps) {
  const { Item } = useParts();
  return <Item {...props} />;
}

export type MenuCheckProps = {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
};

/** An item that is on or off; the menu stays open. */
export function MenuCheck(props: MenuCheckProps) {
  const { CheckItem } = useParts();
  return <CheckItem {...props} />;
}

type MenuChoiceProps<Value extends string> = {
  value: Value;
  onChange: (value: Value) => void;
  options: readonly { readonly value: Value; readonly label: string; readonly icon?: ReactNode }[];
};

/** One of several. */
export function MenuChoice<Value extends string>({ value, onChange, options }: MenuChoiceProps<Value>) {
  const { Choice } = useParts();
  return (
    <Choice
      value={value}
      options={options.map((option) => ({ ...option, onSelect: () => onChange(option.value) }))}
    />
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  const { Label } = useParts();
  return <Label>{children}</Label>;
}

export function MenuLine() {
  const { Line } = useParts();
  return <Line />;
}
