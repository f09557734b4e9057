import { useEffect, useRef } from 'react';
import { NavLink, useLocation } from 'react-router';
import { cx } from './class-names.ts';

export type TabLink = {
  readonly to: string;
  readonly label: string;
  /** Only that very address is this tab, none below it. */
  readonly end?: boolean;
};

/** The pages of one thing, each with its own address, side by side. Scrolls sideways where there is no room, to the one that is open. */
export function TabLinks({
  label,
  tabs,
  className,
}: {
  label: string;
  tabs: readonly TabLink[];
  className?: string;
}) {
  const nav = useRef<HTMLElement>(null);
  const { pathname } = useLocation();
  // biome-ignore lint/correctness/useExhaustiveDependencies: another address, another tab
  useEffect(() => {
    const row = nav.current;
    const open = row?.querySelector<HTMLElement>('[aria-current=page]');
    if (!row || !open) return;
    // Only the row itself moves: `scrollIntoView` would move the page too.
    row.scrollLeft = open.offsetLeft - row.offsetLeft - (row.clientWidth - open.offsetWidth) / 2;
  }, [pathname]);
  return (
    <nav
      ref={nav}
      aria-label={label}
      className={cx('flex shrink-0 gap-5 overflow-x-auto border-line border-b px-4 sm:px-5', className)}
    >
      {tabs.map(({ to, label: name, end = false }) => (
        <NavLink
          key={to}
          to={to}
          end={end}
          className={({ isActive }) =>
            cx(
              'whitespace-nowrap border-b-2 pb-2 text-sm',
              isActive
                ? 'border-accent font-semibold text-ink'
                : 'border-transparent text-ink-2 hover:text-ink',
            )
          }
        >
          {name}
        </NavLink>
      ))}
    </nav>
  );
}
