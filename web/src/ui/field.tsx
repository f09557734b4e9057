import { type ComponentProps, type ReactNode, useId } from 'react';
import { cx } from './class-names.ts';

const control =
  'w-full rounded-md border border-line-strong bg-surface px-2.5 text-base text-ink shadow-1 placeholder:text-ink-3 aria-invalid:border-bad disabled:opacity-60';

type FieldFrame = { label: string; hint?: ReactNode; error?: string | undefined; optional?: boolean };

type ControlIds = { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true };

/** Label, hint and error around one control, connected for those who hear the page. */
function Frame({
  label,
  hint,
  error,
  optional,
  children,
}: FieldFrame & { children: (ids: ControlIds) => ReactNode }) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const described = [error ? errorId : '', hint ? hintId : ''].filter(Boolean).join(' ');
  const ids: ControlIds = {
    id,
    ...(described ? { 'aria-describedby': described } : {}),
    ...(error ? { 'aria-invalid': true } : {}),
  };
  return (
    <div className="min-w-0">
      <label htmlFor={id} className="mb-1 flex items-baseline gap-1.5 font-medium text-sm">
        {label}
        {optional && <span className="font-normal text-ink-3 text-xs">optional</span>}
      </label>
      {children(ids)}
      {error && (
        <p id={errorId} className="mt-1 text-bad text-xs">
          {error}
        </p>
      )}
      {hint && (
        <p id={hintId} className="mt-1 text-ink-3 text-xs">
          {hint}
        </p>
      )}
    </div>
  );
}

type TextFieldProps = ComponentProps<'input'> & FieldFrame & { mono?: boolean };

export function TextField({
  label,
  hint,
  error,
  optional = false,
  mono = false,
  className,
  ...rest
}: TextFieldProps) {
  return (
    <Frame label={label} hint={hint} error={error} optional={optional}>
      {(ids) => (
        <input
          spellCheck={false}
          autoComplete="off"
          className={cx(control, 'h-9', mono && 'font-mono', className)}
          {...ids}
          {...rest}
        />
      )}
    </Frame>
  );
}

type TextAreaFieldProps = ComponentProps<'textarea'> & FieldFrame;

export function TextAreaField({
  label,
  hint,
  error,
  optional = false,
  className,
  ...rest
}: TextAreaFieldProps) {
  return (
    <Frame label={label} hint={hint} error={error} optional={optional}>
      {(ids) => (
        <textarea
          spellCheck={false}
          className={cx(control, 'py-2 font-mono text-sm', className)}
          {...ids}
          {...rest}
        />
      )}
    </Frame>
  );
}

type SelectFieldProps = ComponentProps<'select'> & FieldFrame;

/** A native select: the best list on every phone. */
export function SelectField({
  label,
  hint,
  error,
  optional = false,
  className,
  children,
  ...rest
}: SelectFieldProps) {
  return (
    <Frame label={label} hint={hint} error={error} optional={optional}>
      {(ids) => (
        <select className={cx(control, 'h-9', className)} {...ids} {...rest}>
          {children}
        </select>
      )}
    </Frame>
  );
}

/** What is wrong with the form as a whole. */
export function FormError({ message }: { message: string | undefined }) {
  if (!message) return null;
  return (
    <p
      role="alert"
      className="whitespace-pre-line rounded-md border border-bad bg-bad-soft px-3 py-2 text-bad text-sm"
    >
      {message}
    </p>
  );
}
