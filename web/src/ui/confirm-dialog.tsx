import { type ReactNode, useState } from 'react';
import { Dialog } from './dialog.tsx';
import { DialogForm } from './dialog-form.tsx';

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
    setBusy(true);
    const wrong = await onConfirm();
    setBusy(false);
    setProblem(wrong);
    if (wrong === undefined) onClose();
  };
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={title} description={description}>
      <DialogForm
        action={action}
        look={look}
        busy={busy}
        problem={problem}
        onSubmit={() => void confirm()}
        onCancel={onClose}
      >
        {children}
      </DialogForm>
    </Dialog>
  );
}
