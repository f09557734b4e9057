import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { FormError } from './field.tsx';

type DialogFormProps = {
  /** What the button that goes through with it says. */
  action: string;
  look?: 'primary' | 'danger' | 'plain';
  busy: boolean;
  /** False while something is missing that only the form knows of; true by default. */
  ready?: boolean;
  problem: string | undefined;
  onSubmit: () => void;
  /** Absent: the form stands on a page, which has its own way out. */
  onCancel?: (() => void) | undefined;
  cancel?: string;
  children?: ReactNode;
};

/** A form in a dialog: its fields, what is wrong with the whole, and the two ways out. Sends nothing while it is busy or not ready. */
export function DialogForm(props: DialogFormProps) {
  const { action, look = 'primary', busy, ready = true, problem, onSubmit, onCancel, children } = props;
  const closed = busy || !ready;
  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        if (!closed) onSubmit();
      }}
    >
      {children}
      <FormError message={problem} />
      <div className="flex justify-end gap-2">
        {onCancel && <Button onClick={onCancel}>{props.cancel ?? 'Cancel'}</Button>}
        <Button look={look} type="submit" disabled={closed}>
          {action}
        </Button>
      </div>
    </form>
  );
}
