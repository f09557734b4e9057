import { useState } from 'react';
import { Link } from 'react-router';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import type { QuarantineFix, QuarantineRowFragment } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Drawer } from '../../ui/dialog.tsx';
import { FormError, TextAreaField } from '../../ui/field.tsx';
import { absoluteTime } from '../../ui/time.ts';
import { discardDocument, replayDocument } from './documents.ts';
import { Fact } from './fact.tsx';
import { reasonOf, statusNames } from './quarantine-view.ts';

type QuarantineDetailProps = {
  message: QuarantineRowFragment;
  mayChange: boolean;
  onStarted: (job: string) => void;
  onClose: () => void;
};

/** One message: what is wrong with it and where, its bytes, and what can be done. */
export function QuarantineDetail({ message, mayChange, onStarted, onClose }: QuarantineDetailProps) {
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && onClose()}
      title={reasonOf(message.reason)}
      description={message.detail}
    >
      <div className="min-h-0 flex-1 overflow-y-auto px-5 py-4">
        <dl className="divide-y divide-line">
          {message.field !== null && (
            <Fact name="Where">
              <code className="break-all font-mono text-xs">$.{message.field}</code>
            </Fact>
          )}
          <Fact name="Device">
            <Link
              to={`/devices/${encodeURIComponent(message.deviceKey)}`}
              className="rounded-sm font-mono text-accent hover:underline"
            >
              {message.deviceKey}
            </Link>
          </Fact>
          <Fact name="Arrived">{absoluteTime(Date.parse(message.receivedAt))}</Fact>
          <Fact name="What">
            {message.kind}, by {message.source}
            {message.part !== null && `, reading ${message.part} of the message`}
          </Fact>
          <Fact name="State">{statusNames[message.status]}</Fact>
          {message.replay?.outcome && (
            <Fact name="Ended">
              {message.replay.outcome.toLowerCase().replaceAll('_', ' ')}
              {message.replay.reason && `: ${reasonOf(message.replay.reason)}`}
              {message.replay.readingId && (
                <>
                  {' '}
                  <Link
                    to={`/messages?id=${encodeURIComponent(message.replay.readingId)}`}
                    className="rounded-sm text-accent hover:underline"
                  >
                    Show the reading
                  </Link>
                </>
              )}
            </Fact>
          )}
          <Fact name="Its way">
            <Link
              to={`/messages?id=${encodeURIComponent(message.receipt)}`}
              className="rounded-sm text-accent hover:underline"
            >
              Follow it through the platform
            </Link>
          </Fact>
        </dl>
        <Payload message={message} editable={mayChange && message.status === 'OPEN'} onStarted={onStarted} />
      </div>
    </Drawer>
  );
}

type PayloadProps = { message: QuarantineRowFragment; editable: boolean; onStarted: (job: string) => void };

function Payload({ message, editable, onStarted }: PayloadProps) {
  const { text, base64, bytes } = message.payload;
  const [edited, setEdited] = useState(text ?? '');
  const [verdict, setVerdict] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, replay] = useMutation(replayDocument);
  const [{ fetching: discarding }, discard] = useMutation(discardDocument);
  const target = { ids: [message.id] };
  const fix: QuarantineFix | undefined = text !== null && edited !== text ? { text: edited } : undefined;
  const send = async (dryRun: boolean) => {
    setProblem(undefined);
    setVerdict(undefined);
    const { data, error } = await replay({ input: { target, dryRun, ...(fix ? { fix } : {}) } });
    const result = data?.quarantineReplay;
    if (result?.__typename !== 'QuarantineReplaySuccess') {
      setProblem(failureText(result, error));
      return;
    }
    const [forecast] = result.forecasts;
    if (result.job) onStarted(result.job.id);
    else if (forecast?.outcome === 'WOULD_BE_ACCEPTED')
      setVerdict('It would be stored, unless it is there already.');
    else setProblem(`${reasonOf(forecast?.reason ?? '')}: ${forecast?.detail ?? 'no open message'}`);
  };
  const giveUp = async () => {
    const { data, error } = await discard({ input: { target } });
    const result = data?.quarantineDiscard;
    if (result?.__typename !== 'QuarantineDiscardSuccess') setProblem(failureText(result, error));
    else if (result.job) onStarted(result.job.id);
    else setProblem('It is not open any more.');
  };
  const busy = fetching || discarding;
  return (
    <section className="mt-4 flex flex-col gap-3">
      {editable && text !== null ? (
        <TextAreaField
          label={`Payload, ${bytes.toLocaleString()} bytes`}
          hint="Change it and send it again: it keeps the time at which it arrived."
          rows={12}
          value={edited}
          onChange={(event) => setEdited(event.target.value)}
        />
      ) : (
        <>
          <h3 className="font-semibold text-sm">
            Payload, {bytes.toLocaleString()} bytes{text === null && ', no text: base64'}
          </h3>
          <pre className="overflow-x-auto whitespace-pre-wrap break-all rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-5">
            {text ?? base64}
          </pre>
        </>
      )}
      <FormError message={problem} />
      {verdict && <p className="text-good text-sm">{verdict}</p>}
      {editable && (
        <div className="flex flex-wrap justify-end gap-2">
          <Button look="danger" disabled={busy} onClick={() => void giveUp()}>
            Discard
          </Button>
          <Button disabled={busy} onClick={() => void send(true)}>
            Try it
          </Button>
          <Button look="primary" disabled={busy} onClick={() => void send(false)}>
            {fix ? 'Send the change' : 'Send again'}
          </Button>
        </div>
      )}
    </section>
  );
}
