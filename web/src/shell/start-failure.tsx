import { PlugZap } from 'lucide-react';
import { Button } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';

/** In place of the console when it cannot start: why, and another try. */
export function StartFailure({ error }: { error: unknown }) {
  const reason = error instanceof Error ? error.message : String(error);
  return (
    <main role="alert" className="grid h-full place-items-center">
      <EmptyState
        page
        icon={PlugZap}
        title="Fleetgraph could not be opened"
        action={
          <Button look="primary" onClick={() => location.assign('/')}>
            Try again
          </Button>
        }
      >
        {reason}
      </EmptyState>
    </main>
  );
}
