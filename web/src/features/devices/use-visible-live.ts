import { useCallback, useEffect, useRef, useState } from 'react';
import { useClient } from 'urql';
import { presenceDocument, telemetryDocument } from '../../live/documents.ts';

/** Rows settle before the streams are asked again. */
const settleMs = 300;
/** Events a second and device: a list is read by people. */
const maxHz = 1;
const ignore = () => undefined;

/**
 * Keeps presence and latest values of the rows in sight live. Both streams write into the cache, so the rows re-render
 * by themselves. Rows out of sight cost nothing; scrolled into sight they begin with a snapshot.
 */
export function useVisibleLive(): (rows: readonly { readonly id: string }[]) => void {
  const client = useClient();
  const [ids, setIds] = useState<readonly string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const wanted = useRef('');
  const onVisible = useCallback((rows: readonly { readonly id: string }[]) => {
    const next = rows.map((row) => row.id).sort();
    const key = next.join();
    if (key === wanted.current) return;
    wanted.current = key;
    clearTimeout(timer.current);
    timer.current = setTimeout(() => setIds(next), settleMs);
  }, []);
  useEffect(() => {
    if (ids.length === 0) return;
    const where = { deviceIds: [...ids] };
    const presence = client.subscription(presenceDocument, { where }).subscribe(ignore);
    const telemetry = client.subscription(telemetryDocument, { where, maxHz }).subscribe(ignore);
    return () => {
      presence.unsubscribe();
      telemetry.unsubscribe();
    };
  }, [client, ids]);
  return onVisible;
}
