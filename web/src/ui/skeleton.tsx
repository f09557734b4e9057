import { cx } from './class-names.ts';

/** Stands where text or a chart is going to be. Size it with `className`. */
export function Skeleton({ className }: { className?: string }) {
  return <span aria-hidden="true" className={cx('skeleton block h-3.5', className)} />;
}
