import { type ReactNode, useState } from 'react';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { FormError } from './field.tsx';

type ConfirmDialogProps = {
  title: string;
  description: ReactNode;
  /** What the button that goes through with it says. */
  action: string;
  /** Resolves to what went wrong, or undefined: then the dialog is closed. */
  onConfirm: () => Promise<string | undefined>;
  onClose: () => void;
  children?: ReactNode;
  look?: 'danger' | 'primary';
};

/** Asks once more before something that cannot be taken back. */
export function ConfirmDialog(props: ConfirmDialogProps) {
  const { title, description, action, onConfirm, onClose, children, look = 'danger' } = props;
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const confirm = async () => {
    if (busy) return;
    setBusy(true);
    const wrong = await onConfirm();
    setBusy(false);
    setProblem(wrong);
    if (wrong === undefined) onClose();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title} description={description}>
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        {children}
        <FormError message={problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look={look} type="submit" disabled={busy}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
