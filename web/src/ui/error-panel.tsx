import { TriangleAlert } from 'lucide-react';
import type { CombinedError } from 'urql';
import { describeError } from '../data/client.ts';
import { Button } from './button.tsx';
import { EmptyState } from './empty-state.tsx';

/** A failed request, with the id to quote and a way to try again. */
export function ErrorPanel({ error, onRetry }: { error: CombinedError; onRetry: () => void }) {
  const { message, requestId } = describeError(error);
  return (
    <div role="alert">
      <EmptyState
        icon={TriangleAlert}
        title="This could not be loaded"
        action={<Button onClick={onRetry}>Try again</Button>}
      >
        {message}
        {requestId && <p className="mt-1 text-xs text-ink-3">Request {requestId}</p>}
      </EmptyState>
    </div>
  );
}
