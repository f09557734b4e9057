import { useState } from 'react';
import { useClient, useQuery } from 'urql';
import { failureText } from '../../data/failures.ts';
import { readJsonObject } from '../../data/json-diff.ts';
import type { DeviceTarget } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FormError, SelectField, TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import { type BulkAction, type BulkSuccess, bulkNames, runBulk, summarise } from './bulk-actions.ts';
import { BulkCommand, noCommand } from './bulk-command.tsx';
import { type BulkError, bulkChoicesDocument } from './bulk-documents.ts';

type BulkDialogProps = {
  action: BulkAction;
  target: DeviceTarget;
  /** Whom it is about, in words: "3 devices". */
  whom: string;
  /** Told the id of the job that goes on with it, where it is too much to be done at once. */
  onDone: (job: string | undefined) => void;
  onClose: () => void;
};

/** Something done to many devices, first as a dry run. */
export function BulkDialog({ action, target, whom, onDone, onClose }: BulkDialogProps) {
  const client = useClient();
  const [tags, setTags] = useState('');
  const [value, setValue] = useState(action === 'STATUS' ? 'DISABLED' : '');
  const [command, setCommand] = useState(noCommand);
  const [tried, setTried] = useState<BulkSuccess>();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const split = tags.split(',').map((tag) => tag.trim());
  const params = readJsonObject(command.json);
  const values = {
    tags: [...new Set(split)].filter((tag) => tag !== ''),
    value: action === 'COMMAND' ? command.type.trim() : value,
    params: 'value' in params ? params.value : {},
    expiresInSeconds: command.seconds,
  };
  const tagging = action === 'TAG' || action === 'UNTAG';
  const needsValue = action === 'GROUP' || action === 'COMMAND';
  const incomplete = tagging ? values.tags.length === 0 : needsValue && values.value === '';
  const run = async (dryRun: boolean) => {
    if (busy || incomplete) return;
    if ('problem' in params) return setProblem(params.problem);
    setBusy(true);
    setProblem(undefined);
    const { success, failure, error } = await runBulk(client, action, values, { target, dryRun });
    setBusy(false);
    if (!success) return setProblem(failureText(failure, error));
    if (dryRun) return setTried(success);
    if (!success.job) announce(summarise(action, success, false), success.failed > 0 ? 'bad' : 'good');
    onDone(success.job?.id);
  };
  const change = (set: () => void) => {
    setTried(undefined);
    setProblem(undefined);
    set();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`${bulkNames[action]}: ${whom}`}
      description="A dry run says what would change before anything does."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void run(tried === undefined);
        }}
      >
        {tagging ? (
          <TextField
            label="Tags"
            autoFocus
            hint="Separated by commas."
            value={tags}
            onChange={(event) => change(() => setTags(event.target.value))}
          />
        ) : action === 'COMMAND' ? (
          <BulkCommand texts={command} onChange={(next) => change(() => setCommand(next))} />
        ) : (
          <BulkChoice action={action} value={value} onChange={(next) => change(() => setValue(next))} />
        )}
        {tried && (
          <div role="status" className="rounded-md border border-line bg-sunken px-3 py-2 text-sm">
            <p className="font-semibold">{summarise(action, tried, true)}</p>
            <BulkErrors errors={tried.errors} />
          </div>
        )}
        <FormError message={problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          {tried === undefined ? (
            <Button look="primary" type="submit" disabled={busy || incomplete}>
              Dry run
            </Button>
          ) : (
            <Button look="primary" type="submit" disabled={busy || tried.changed === 0}>
              {action === 'COMMAND' ? 'Tell' : 'Change'} {tried.changed.toLocaleString()}{' '}
              {tried.changed === 1 ? 'device' : 'devices'}
            </Button>
          )}
        </div>
      </form>
    </Dialog>
  );
}

type BulkChoiceProps = {
  action: Exclude<BulkAction, 'COMMAND'>;
  value: string;
  onChange: (value: string) => void;
};

function BulkChoice({ action, value, onChange }: BulkChoiceProps) {
  const [{ data }] = useQuery({ query: bulkChoicesDocument, pause: action === 'STATUS' });
  const options = (nodes: readonly { readonly key: string; readonly name: string }[] | undefined) =>
    (nodes ?? []).map(({ key, name }) => (
      <option key={key} value={key}>
        {name}
      </option>
    ));
  const label = { SITE: 'Site', STATUS: 'Status', GROUP: 'Group', TAG: '', UNTAG: '' }[action];
  const none = action === 'GROUP' && data?.groups.nodes.length === 0;
  return (
    <SelectField
      label={label}
      autoFocus
      value={value}
      hint={none ? 'There is no group whose devices are chosen one by one. Make one first.' : undefined}
      onChange={(event) => onChange(event.target.value)}
    >
      {action === 'STATUS' ? (
        <>
          <option value="DISABLED">Disabled: kept, but may not connect</option>
          <option value="ACTIVE">Active</option>
        </>
      ) : action === 'SITE' ? (
        <>
          <option value="">No site</option>
          {options(data?.sites.nodes)}
        </>
      ) : (
        <>
          <option value="">Choose…</option>
          {options(data?.groups.nodes)}
        </>
      )}
    </SelectField>
  );
}

/** Which devices it cannot be done to, and why; the first ten. */
export function BulkErrors({ errors }: { errors: readonly BulkError[] }) {
  if (errors.length === 0) return null;
  return (
    <ul className="mt-1 text-bad">
      {errors.slice(0, 10).map(({ deviceId, device, message }) => (
        <li key={deviceId}>
          <span className="font-mono text-xs">{device?.key ?? deviceId}</span> {message}
        </li>
      ))}
      {errors.length > 10 && <li>and {errors.length - 10} more</li>}
    </ul>
  );
}
