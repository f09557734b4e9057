import { Check } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useClient } from 'urql';
import { describeError } from '../../data/client.ts';
import { type Latest, readMetrics } from '../../data/latest.ts';
import { telemetryDocument } from '../../live/documents.ts';
import { useClock } from '../../ui/clock.ts';
import { duration } from '../../ui/time.ts';
import { formatValue } from './value.ts';

type Arrival = { readonly values: readonly Pick<Latest, 'metric' | 'value'>[]; readonly receivedAt: string };

/** Waits for the device's first reading on the live stream, and shows it the moment it is committed. */
export function FirstMessage({ deviceId }: { deviceId: string }) {
  const client = useClient();
  const [arrival, setArrival] = useState<Arrival>();
  const [refused, setRefused] = useState<string>();
  const [startedMs] = useState(Date.now);
  const waited = useClock((nowMs) => Math.max(0, Math.floor((nowMs - startedMs) / 1_000)));
  useEffect(() => {
    const source = client.subscription(telemetryDocument, { where: { deviceIds: [deviceId] } });
    const { unsubscribe } = source.subscribe(({ data, error }) => {
      const event = data?.telemetry;
      if (error) setRefused(describeError(error).message);
      if (event?.__typename === 'TelemetryReading') {
        const values = readMetrics(event.metrics).map(([metric, value]) => ({ metric, value }));
        setArrival({ values, receivedAt: event.receivedAt });
      }
      if (event?.__typename === 'TelemetrySnapshot') {
        const values = event.devices.find(({ device }) => device.id === deviceId)?.values ?? [];
        const [first] = values;
        if (first) setArrival({ values, receivedAt: first.receivedAt });
      }
    });
    return unsubscribe;
  }, [client, deviceId]);

  if (arrival) {
    return (
      <div
        role="status"
        data-testid="first-message"
        data-state="received"
        className="rounded-md bg-good-soft p-3"
      >
        <p className="flex items-center gap-2 font-semibold text-good">
          <Check aria-hidden="true" className="size-4" />
          Received
        </p>
        <p className="mt-1 flex flex-wrap gap-x-4 text-sm">
          {arrival.values.map(({ metric, value }) => (
            <span key={metric}>
              <span className="text-ink-2">{metric}</span>{' '}
              <span className="font-semibold">{formatValue(value)}</span>
            </span>
          ))}
        </p>
      </div>
    );
  }
  return (
    <div
      role="status"
      data-testid="first-message"
      data-state="waiting"
      className="rounded-md border border-line border-dashed p-3"
    >
      <p className="flex items-center gap-2.5">
        <span aria-hidden="true" className="size-2.5 breathing rounded-full bg-accent" />
        Waiting for the first message…
        <span aria-hidden="true" className="ml-auto text-ink-3 text-sm">
          {duration(waited * 1_000)}
        </span>
      </p>
      {refused && <p className="mt-1 text-bad text-sm">The live stream refused: {refused}</p>}
      {waited >= 60 && !refused && (
        <p className="mt-1 text-ink-2 text-sm">
          Nothing yet. A refused user name or token closes the connection at once; a wrong topic does too.
        </p>
      )}
    </div>
  );
}
