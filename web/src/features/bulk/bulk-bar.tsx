import { useState } from 'react';
import type { DeviceTarget } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { type BulkAction, bulkActions, bulkNames } from './bulk-actions.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import { BulkProgress } from './bulk-progress.tsx';

type BulkBarProps = {
  /** How many are selected. */
  count: number;
  target: DeviceTarget;
  /** How many the list has; undefined while that is not known, or when all of them are selected. */
  more: number | undefined;
  onAll: () => void;
  onClear: () => void;
  /** Told when devices have changed. */
  onChanged: () => void;
};

/** What can be done to the selected devices, and how far it is. */
export function BulkBar({ count, target, more, onAll, onClear, onChanged }: BulkBarProps) {
  const [action, setAction] = useState<BulkAction>();
  const [job, setJob] = useState<string>();
  const whom = `${count.toLocaleString()} ${count === 1 ? 'device' : 'devices'}`;
  return (
    <>
      {job && <BulkProgress id={job} onSettled={onChanged} onClose={() => setJob(undefined)} />}
      {count > 0 && (
        // biome-ignore lint/a11y/useSemanticElements: a toolbar is no fieldset
        <div
          role="group"
          aria-label="Selected devices"
          className="flex shrink-0 flex-wrap items-center gap-1.5 border-line border-b bg-accent-soft px-4 py-1.5 sm:px-5"
        >
          <span role="status" className="mr-2 font-semibold text-sm">
            {whom} selected
          </span>
          {more !== undefined && more > count && (
            <Button look="quiet" onClick={onAll}>
              Select all {more.toLocaleString()} that match
            </Button>
          )}
          <span className="flex flex-wrap gap-1.5 sm:ml-auto">
            {bulkActions.map((each) => (
              <Button key={each} onClick={() => setAction(each)}>
                {bulkNames[each]}…
              </Button>
            ))}
            <Button look="quiet" onClick={onClear}>
              Clear
            </Button>
          </span>
        </div>
      )}
      {action && (
        <BulkDialog
          action={action}
          target={target}
          whom={whom}
          onClose={() => setAction(undefined)}
          onDone={(started) => {
            setAction(undefined);
            setJob(started);
            onClear();
            if (!started) onChanged();
          }}
        />
      )}
    </>
  );
}
