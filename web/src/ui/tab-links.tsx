import { NavLink } from 'react-router';
import { cx } from './class-names.ts';

export type TabLink = {
  readonly to: string;
  readonly label: string;
  /** Only that very address is this tab, none below it. */
  readonly end?: boolean;
};

/** The pages of one thing, each with its own address, side by side. Scrolls sideways where there is no room. */
export function TabLinks({
  label,
  tabs,
  className,
}: {
  label: string;
  tabs: readonly TabLink[];
  className?: string;
}) {
  return (
    <nav
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
