import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { clockTime } from '../../ui/time.ts';
import { announce } from '../../ui/toast.tsx';
import { type Command, commandCancelDocument } from './command-documents.ts';
import { commandStatus, happenings, mayCancel } from './command-view.ts';

type CommandRowProps = { command: Command; name: string; mayWrite: boolean; open: boolean };

/** One command: where it is, and behind that everything that happened to it. */
export function CommandRow({ command, name, mayWrite, open }: CommandRowProps) {
  const [cancelling, setCancelling] = useState(false);
  const look = commandStatus[command.status];
  const params = JSON.stringify(command.params);
  return (
    <li data-command={command.uuid} data-status={command.status}>
      <details open={open}>
        <summary className="flex min-h-11 cursor-pointer flex-wrap items-center gap-x-3 px-3.5 py-1.5 hover:bg-hover">
          <StatusBadge {...look} axis="State" className="w-24" />
          <span className="min-w-0 flex-1 basis-40 truncate font-medium">
            {name}
            {params !== '{}' && (
              <span className="ml-2 font-mono font-normal text-ink-3 text-xs">{params}</span>
            )}
          </span>
          <RelativeTime at={command.createdAt} className="text-ink-3 text-xs" />
        </summary>
        <div className="flex flex-col gap-3 px-3.5 pt-1 pb-3.5 text-sm">
          <p className="text-ink-2">
            {look.meaning} Sent by {command.actorName}
            {command.finishedAt === null && (
              <>
                {' '}
                · expires <RelativeTime at={command.expiresAt} ahead />
              </>
            )}
          </p>
          <Transitions command={command} />
          {command.detailsProblem && (
            <p className="text-warn">The answer is not as the template says: {command.detailsProblem}</p>
          )}
          <p className="break-all font-mono text-ink-3 text-xs">{command.uuid}</p>
          {mayWrite && mayCancel(command.status) && (
            <Button className="self-start" onClick={() => setCancelling(true)}>
              Call it off…
            </Button>
          )}
        </div>
      </details>
      {cancelling && <CancelCommand command={command} name={name} onClose={() => setCancelling(false)} />}
    </li>
  );
}

function Transitions({ command }: { command: Command }) {
  return (
    <ol aria-label="What happened" className="flex flex-col gap-1 border-line border-l-2 pl-3">
      {command.transitions.map(({ happening, at, moved, details }) => (
        <li key={`${happening}/${at}`} className="flex flex-wrap items-baseline gap-x-2.5">
          <time dateTime={at} className="w-24 text-ink-3 text-xs">
            {clockTime(Date.parse(at))}
          </time>
          <span className={moved ? '' : 'text-ink-3'}>
            {happenings[happening]}
            {!moved && ', too late to count'}
          </span>
          {details !== null && details !== undefined && (
            <code className="break-all text-ink-2 text-xs">{JSON.stringify(details)}</code>
          )}
        </li>
      ))}
    </ol>
  );
}

type CancelCommandProps = { command: Command; name: string; onClose: () => void };

function CancelCommand({ command, name, onClose }: CancelCommandProps) {
  const [, cancel] = useMutation(commandCancelDocument);
  const confirm = async () => {
    const { data, error } = await cancel({ input: { id: command.id } });
    const result = data?.commandCancel;
    if (result?.__typename !== 'CommandCancelSuccess') return failureText(result, error);
    announce(
      result.mayBeCarriedOut
        ? `${name} is called off. The device had it already and may carry it out all the same.`
        : `${name} is called off.`,
    );
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Call off ${name}?`}
      description={
        command.status === 'SENT'
          ? 'The device has the message already and may carry it out all the same.'
          : 'The device will not get it.'
      }
      action="Call it off"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
