import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { Button } from './button.tsx';
import { useOpener } from './opener.ts';

type DialogProps = {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
};

const overlay = 'overlay-in fixed inset-0 z-40 bg-scrim';

function CloseButton() {
  return (
    <Radix.Close asChild>
      <Button look="quiet" icon aria-label="Close" className="-mt-1 -mr-1">
        <X aria-hidden="true" className="size-4" />
      </Button>
    </Radix.Close>
  );
}

/** A modal dialog in the middle of the page. Focus stays inside; Escape closes it. */
export function Dialog({ open, onOpenChange, title, description, children }: DialogProps) {
  const restoreFocus = useOpener();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onCloseAutoFocus={restoreFocus}
          className="dialog-in fixed inset-x-3 top-[12vh] z-40 mx-auto max-h-[80vh] max-w-md overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-2 outline-none"
        >
          <div className="flex items-start justify-between gap-3">
            <Radix.Title className="min-w-0 break-words text-lg font-semibold">{title}</Radix.Title>
            <CloseButton />
          </div>
          {description && (
            <Radix.Description asChild>
              <div className="mt-1 text-ink-2">{description}</div>
            </Radix.Description>
          )}
          <div className="mt-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** A modal panel at the right edge; the whole width on a phone. */
export function Drawer({ open, onOpenChange, title, description, children }: DialogProps) {
  const restoreFocus = useOpener();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={overlay} />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          onCloseAutoFocus={restoreFocus}
          className="drawer-in fixed inset-y-0 right-0 z-40 flex w-full max-w-md flex-col border-line border-l bg-raised shadow-2 outline-none"
        >
          <header className="flex items-start gap-3 border-line border-b py-3 pr-3 pl-5">
            <div className="min-w-0 flex-1 py-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description asChild>
                  <div className="text-ink-2 text-sm">{description}</div>
                </Radix.Description>
              )}
            </div>
            <CloseButton />
          </header>
          <div className="flex min-h-0 flex-1 flex-col">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
