import type { ComponentProps } from 'react';
import { cx } from './class-names.ts';

type Look = 'primary' | 'plain' | 'quiet' | 'danger';

const looks: Record<Look, string> = {
  primary: 'bg-accent text-on-accent border-transparent hover:bg-accent-strong shadow-1',
  plain: 'bg-surface text-ink border-line hover:bg-hover hover:border-line-strong shadow-1',
  quiet: 'bg-transparent text-ink-2 border-transparent hover:bg-hover hover:text-ink',
  danger: 'bg-surface text-bad border-line hover:bg-bad-soft hover:border-bad shadow-1',
};

/** Class names of a button; for links that look like one. */
export function buttonClass(look: Look = 'plain', icon = false): string {
  return cx(
    'inline-flex h-8 shrink-0 items-center justify-center gap-1.5 whitespace-nowrap rounded-md border text-sm font-medium',
    'transition-colors disabled:pointer-events-none disabled:opacity-50 aria-disabled:opacity-50',
    icon ? 'w-8' : 'px-3',
    looks[look],
  );
}

type ButtonProps = ComponentProps<'button'> & { look?: Look; icon?: boolean };

/** A button. `icon` makes it square: give it an `aria-label`. */
export function Button({ look = 'plain', icon = false, className, type = 'button', ...rest }: ButtonProps) {
  return <button type={type} className={cx(buttonClass(look, icon), className)} {...rest} />;
}
