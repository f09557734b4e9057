import type { ReactNode } from 'react';
import { cx } from './class-names.ts';

type PanelProps = {
  title: string;
  /** Beside the title: how many there are, or how it is. */
  note?: ReactNode;
  actions?: ReactNode;
  className?: string;
  children: ReactNode;
};

/** A part of a page with a heading of its own. */
export function Panel({ title, note, actions, className, children }: PanelProps) {
  return (
    <section
      aria-label={title}
      className={cx('min-w-0 rounded-lg border border-line bg-surface shadow-1', className)}
    >
      <header className="flex min-h-11 flex-wrap items-center gap-x-2.5 gap-y-1 border-line border-b py-1 pr-1.5 pl-3.5">
        <h2 className="font-semibold">{title}</h2>
        {note !== undefined && <span className="text-ink-3 text-sm">{note}</span>}
        {actions && <div className="ml-auto flex items-center gap-1.5">{actions}</div>}
      </header>
      {children}
    </section>
  );
}

/** What stands in a panel that has nothing in it yet. */
export function PanelEmpty({ children, action }: { children: ReactNode; action?: ReactNode }) {
  return (
    <div className="flex flex-col items-start gap-2.5 px-3.5 py-4 text-ink-2 text-sm">
      <p>{children}</p>
      {action}
    </div>
  );
}
