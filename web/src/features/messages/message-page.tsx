import { Route as RouteIcon } from 'lucide-react';
import { useState } from 'react';
import { useSearchParams } from 'react-router';
import { useQuery } from 'urql';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { TextField } from '../../ui/field.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { messageDocument } from './documents.ts';
import { MessageSteps } from './message-steps.tsx';

/** Where a message is: `?id=` a receipt, a reading, a quarantined message, or with `?device=` a message id. */
export function MessagePage() {
  const [params] = useSearchParams();
  const id = params.get('id') ?? '';
  const device = params.get('device') ?? '';
  const [{ data, fetching, error }, ask] = useQuery({
    query: messageDocument,
    variables: { id, device: device === '' ? null : device },
    pause: id === '',
    requestPolicy: 'network-only',
  });
  const again = () => ask({ requestPolicy: 'network-only' });
  return (
    <>
      <PageHeader title="Message" actions={id !== '' && <Button onClick={again}>Refresh</Button>} />
      <MessageForm key={`${id}/${device}`} id={id} device={device} />
      {id === '' ? (
        <EmptyState icon={RouteIcon} title="Which message?">
          Enter the receipt that the HTTP door answered or a log line shows, or a message id and its device.
        </EmptyState>
      ) : fetching && !data ? (
        <Skeleton className="m-5 h-64 rounded-lg" />
      ) : error ? (
        <ErrorPanel error={error} onRetry={again} />
      ) : data?.message ? (
        <MessageSteps trace={data.message} />
      ) : (
        <EmptyState
          icon={RouteIcon}
          title="No such message"
          action={<Button onClick={again}>Look again</Button>}
        >
          It never arrived, or it has expired with everything that was known of it.
        </EmptyState>
      )}
    </>
  );
}

function MessageForm({ id, device }: { id: string; device: string }) {
  const [, setParams] = useSearchParams();
  const [name, setName] = useState(id);
  const [key, setKey] = useState(device);
  const submit = () => {
    const entries = { id: name.trim(), device: key.trim() };
    setParams(Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== '')));
  };
  return (
    <form
      className="flex flex-wrap items-end gap-3 border-line border-b px-4 pb-4 sm:px-5"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="min-w-64 flex-1">
        <TextField
          label="Receipt or id"
          mono
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <div className="w-48">
        <TextField
          label="Device"
          optional
          mono
          value={key}
          onChange={(event) => setKey(event.target.value)}
        />
      </div>
      <Button look="primary" type="submit" className="h-9">
        Find
      </Button>
    </form>
  );
}
