import { type ReactNode, useEffect } from 'react';
import { Skeleton } from '../ui/skeleton.tsx';

type PageHeaderProps = { title: string; children?: ReactNode; actions?: ReactNode };

/** The head of a page: its title, what belongs beside it, what can be done. Names the browser tab. */
export function PageHeader({ title, children, actions }: PageHeaderProps) {
  usePageTitle(title);
  return (
    <div className="flex min-h-14 shrink-0 flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3 pb-2 sm:px-5">
      <h1 className="font-semibold text-xl">{title}</h1>
      {children}
      {actions && <div className="ml-auto flex gap-2">{actions}</div>}
    </div>
  );
}

/** Names the browser tab while mounted. */
export function usePageTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Fleetgraph`;
  }, [title]);
}

/** Stands for a page whose code is on its way. */
export function PageSkeleton() {
  return (
    <div role="status" aria-label="Loading" className="flex flex-col gap-4 p-5">
      <Skeleton className="h-6 w-48" />
      <Skeleton className="h-4 w-80 max-w-full" />
      <Skeleton className="h-64 w-full rounded-lg" />
    </div>
  );
}
