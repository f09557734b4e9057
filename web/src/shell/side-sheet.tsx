import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';
import { useOpener } from '../ui/opener.ts';

type SideSheetProps = { onOpenChange: (open: boolean) => void; children: ReactNode };

/** The navigation on narrow pages. */
export function SideSheet({ onOpenChange, children }: SideSheetProps) {
  const restoreFocus = useOpener();
  return (
    <Radix.Root open onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="overlay-in fixed inset-0 z-40 bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          onCloseAutoFocus={restoreFocus}
          className="overlay-in fixed inset-y-0 left-0 z-40 w-64 border-line border-r bg-sunken shadow-2"
        >
          <Radix.Title className="sr-only">Navigation</Radix.Title>
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
