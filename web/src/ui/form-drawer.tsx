import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { Drawer } from './dialog.tsx';
import { FormError } from './field.tsx';

type FormDrawerProps = {
  title: string;
  description?: ReactNode;
  /** What the button that goes through with it says. */
  action: string;
  busy: boolean;
  /** False while there is nothing to send; true by default. */
  ready?: boolean;
  problem: string | undefined;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
};

/** A form at the right edge: its fields, what is wrong with the whole, and the two ways out. */
export function FormDrawer(props: FormDrawerProps) {
  const { title, description, action, busy, ready = true, problem, onSubmit, onClose, children } = props;
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      {...(description === undefined ? {} : { description })}
    >
      <form
        noValidate
        className="flex min-h-0 flex-1 flex-col"
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy && ready) onSubmit();
        }}
      >
        <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">{children}</div>
        <footer className="flex flex-col gap-3 border-line border-t px-5 py-3">
          <FormError message={problem} />
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" type="submit" disabled={busy || !ready}>
              {action}
            </Button>
          </div>
        </footer>
      </form>
    </Drawer>
  );
}
