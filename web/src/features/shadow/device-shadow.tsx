import { History, Pencil } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { useSearchParams } from 'react-router';
import { useClient, useQuery } from 'urql';
import { mayOperate, useAccount } from '../../auth/viewer.tsx';
import { Button } from '../../ui/button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { JsonChanges } from '../../ui/json-changes.tsx';
import { JsonText } from '../../ui/json-text.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { useDevice } from '../devices/device-detail.ts';
import { DesiredEditor } from './desired-editor.tsx';
import { type Shadow, shadowAtDocument, shadowDocument, shadowsDocument } from './shadow-documents.ts';
import { ShadowHistory } from './shadow-history.tsx';
import { deltaChanges, shadowStatus, toLocalInput } from './shadow-view.ts';

/** What the device should be and what it says it is: live, or as it was at a time that is in the URL. */
export function DeviceShadow() {
  const { id, status } = useDevice();
  const client = useClient();
  const { viewer } = useAccount();
  const [params, setParams] = useSearchParams();
  const at = params.get('at') ?? '';
  const [start, setStart] = useState<{ readonly document: unknown }>();
  const [{ data, error }, refetch] = useQuery({
    query: shadowDocument,
    variables: { id },
    requestPolicy: 'cache-and-network',
  });
  useEffect(() => {
    const { unsubscribe } = client
      .subscription(shadowsDocument, { where: { deviceIds: [id] } })
      .subscribe(() => undefined);
    return unsubscribe;
  }, [client, id]);
  const shadow = data?.node?.__typename === 'Device' ? data.node.shadow : undefined;
  if (!shadow) {
    if (error) return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
    return <Skeleton className="m-5 h-64 rounded-lg" />;
  }
  const mayWrite = mayOperate(viewer.role) && status !== 'DECOMMISSIONED' && at === '';
  const edit = (document: unknown) => setStart({ document });
  const travel = (moment: string) =>
    setParams(moment === '' ? {} : { at: moment }, { replace: true, preventScrollReset: true });
  return (
    <div className="flex flex-col gap-4 p-4 sm:p-5">
      <TimeTravel at={at} onTravel={travel} />
      {at === '' ? (
        <Sides shadow={shadow} {...(mayWrite ? { onEdit: () => edit(shadow.desired) } : {})}>
          {start && (
            <DesiredEditor
              key={JSON.stringify(start.document)}
              deviceId={id}
              shadow={shadow}
              start={start.document}
              onClose={() => setStart(undefined)}
            />
          )}
        </Sides>
      ) : (
        <Past id={id} at={at} />
      )}
      <ShadowHistory deviceId={id} shadow={shadow} {...(mayWrite ? { onRestore: edit } : {})} />
    </div>
  );
}

function TimeTravel({ at, onTravel }: { at: string; onTravel: (at: string) => void }) {
  const onChange = (text: string) => {
    const ms = Date.parse(text);
    onTravel(Number.isNaN(ms) ? '' : new Date(ms).toISOString());
  };
  return (
    <div className="flex flex-wrap items-center gap-2">
      <label className="flex items-center gap-2 whitespace-nowrap text-ink-2 text-sm">
        <History aria-hidden="true" className="size-4 text-ink-3" />
        As it was at
        <input
          type="datetime-local"
          step={1}
          value={toLocalInput(at)}
          onChange={(event) => onChange(event.target.value)}
          className="h-8 rounded-md border border-line bg-surface px-2 text-ink text-sm shadow-1"
        />
      </label>
      {at !== '' && <Button onClick={() => onTravel('')}>Back to now</Button>}
    </div>
  );
}

function Past({ id, at }: { id: string; at: string }) {
  const [{ data, error }, refetch] = useQuery({ query: shadowAtDocument, variables: { id, at } });
  if (error) return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  if (data?.node?.__typename !== 'Device') return <Skeleton className="h-64 rounded-lg" />;
  return <Sides shadow={data.node.shadowAt} />;
}

type SidesProps = {
  shadow: Shadow;
  onEdit?: () => void;
  /** The editor, in the place of what is desired. */
  children?: ReactNode;
};

function Sides({ shadow, onEdit, children }: SidesProps) {
  const look = shadowStatus[shadow.status];
  const changes = deltaChanges(shadow.reported, shadow.delta);
  return (
    <>
      <div
        data-testid="shadow-status"
        data-status={shadow.status}
        className="flex flex-wrap items-center gap-x-3 gap-y-1 text-sm"
      >
        <StatusBadge {...look} axis="Shadow" soft />
        <span className="text-ink-2">{look.meaning}</span>
      </div>
      {changes.length > 0 && (
        <Panel title="Not as desired" note={changes.length}>
          <JsonChanges changes={changes} before="reported" after="desired" />
        </Panel>
      )}
      <div className="grid gap-4 lg:grid-cols-2 lg:items-start">
        <Panel
          title="Desired"
          note={<VersionNote version={shadow.desiredVersion} at={shadow.desiredAt} />}
          actions={
            onEdit &&
            !children && (
              <Button onClick={onEdit}>
                <Pencil aria-hidden="true" className="size-3.5" />
                Edit
              </Button>
            )
          }
        >
          {children ??
            (shadow.desiredVersion === 0 ? (
              <PanelEmpty action={onEdit && <Button onClick={onEdit}>Say what it should be</Button>}>
                Nothing is desired of this device yet.
              </PanelEmpty>
            ) : (
              <JsonText value={shadow.desired} />
            ))}
        </Panel>
        <Panel
          title="Reported"
          note={<VersionNote version={shadow.reportedVersion} at={shadow.reportedAt} />}
        >
          {shadow.reportedVersion === 0 ? (
            <PanelEmpty>
              The device says how it is by publishing to <span className="font-mono">shadow/reported</span>.
            </PanelEmpty>
          ) : (
            <JsonText value={shadow.reported} />
          )}
        </Panel>
      </div>
    </>
  );
}

function VersionNote({ version, at }: { version: number; at: string | null | undefined }) {
  if (version === 0) return null;
  return (
    <>
      version {version}, <RelativeTime at={at} />
    </>
  );
}
