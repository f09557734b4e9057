import { type ComponentProps, type ReactNode, useId } from 'react';

type CheckFieldProps = ComponentProps<'input'> & { label: string; hint?: ReactNode };

/** Something that is so or not. */
export function CheckField({ label, hint, ...rest }: CheckFieldProps) {
  const hintId = useId();
  return (
    <div>
      <label className="flex items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          {...(hint ? { 'aria-describedby': hintId } : {})}
          {...rest}
        />
        {label}
      </label>
      {hint && (
        <p id={hintId} className="mt-0.5 ml-6 text-ink-3 text-xs">
          {hint}
        </p>
      )}
    </div>
  );
}
