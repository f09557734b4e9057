import type { LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

type EmptyStateProps = {
  icon: LucideIcon;
  title: string;
  children?: ReactNode;
  /** What to do next. */
  action?: ReactNode;
  /** The heading is the page's own. */
  page?: boolean;
};

/** Says why there is nothing here, and what to do about it. */
export function EmptyState({ icon: Icon, title, children, action, page = false }: EmptyStateProps) {
  const Heading = page ? 'h1' : 'h2';
  return (
    <div className="flex flex-col items-center justify-center px-6 py-14 text-center">
      <span className="mb-4 grid size-11 place-items-center rounded-full border border-line bg-surface text-ink-3 shadow-1">
        <Icon aria-hidden="true" className="size-5" strokeWidth={1.6} />
      </span>
      <Heading className="font-semibold text-lg">{title}</Heading>
      {children && <div className="mt-1 max-w-sm text-ink-2">{children}</div>}
      {action && <div className="mt-5 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
