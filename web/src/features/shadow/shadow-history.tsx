import { RotateCcw } from 'lucide-react';
import { useEffect, useMemo, useRef } from 'react';
import { useClient } from 'urql';
import { diffJson } from '../../data/json-diff.ts';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { Button } from '../../ui/button.tsx';
import { JsonChanges } from '../../ui/json-changes.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { type Shadow, type ShadowVersion, shadowHistoryDocument } from './shadow-documents.ts';

const pageSize = 20;

type ShadowHistoryProps = {
  deviceId: string;
  shadow: Shadow;
  /** Absent for whoever may not change what is desired. */
  onRestore?: (document: unknown) => void;
};

/** Who wanted what and when, and what the device said to it. */
export function ShadowHistory({ deviceId, shadow, onRestore }: ShadowHistoryProps) {
  const client = useClient();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: shadowHistoryDocument,
        variables: (after) => ({ id: deviceId, first: pageSize, after }),
        read: ({ node }) =>
          node?.__typename === 'Device'
            ? { ...node.shadowHistory.pageInfo, nodes: node.shadowHistory.nodes }
            : undefined,
      }),
    [client, deviceId],
  );
  const { nodes, hasMore, loading } = usePager(pager);
  const newest = `${shadow.desiredVersion}/${shadow.reportedVersion}`;
  const seen = useRef(newest);
  useEffect(() => {
    if (seen.current === newest) return;
    seen.current = newest;
    pager.reload();
  }, [newest, pager]);
  return (
    <Panel title="History">
      {loading === 'first' && nodes.length === 0 ? (
        <Skeleton className="m-3.5 h-24" />
      ) : nodes.length === 0 ? (
        <PanelEmpty>Nothing was desired and nothing reported yet.</PanelEmpty>
      ) : (
        <ol className="divide-y divide-line">
          {nodes.map((version, index) => (
            <VersionRow
              key={`${version.side}/${version.version}`}
              version={version}
              before={nodes.slice(index + 1).find(({ side }) => side === version.side)}
              current={version.side === 'DESIRED' && version.version === shadow.desiredVersion}
              {...(onRestore ? { onRestore } : {})}
            />
          ))}
        </ol>
      )}
      {hasMore && (
        <Button look="quiet" className="m-1.5" disabled={loading !== false} onClick={pager.loadMore}>
          Show older ones
        </Button>
      )}
    </Panel>
  );
}

type VersionRowProps = {
  version: ShadowVersion;
  /** The version before it on the same side, where that is known. */
  before: ShadowVersion | undefined;
  current: boolean;
  onRestore?: (document: unknown) => void;
};

function VersionRow({ version, before, current, onRestore }: VersionRowProps) {
  const desired = version.side === 'DESIRED';
  const changes = diffJson(before?.document ?? {}, version.document);
  return (
    <li data-side={version.side} data-version={version.version}>
      <details className="group">
        <summary className="flex min-h-10 cursor-pointer flex-wrap items-center gap-x-2.5 px-3.5 py-1.5 text-sm hover:bg-hover">
          <StatusBadge
            shape={desired ? 'ring' : 'disc'}
            tone={desired ? 'idle' : 'good'}
            label={`${desired ? 'Desired' : 'Reported'} ${version.version}`}
          />
          <span className="min-w-0 flex-1 basis-32 truncate text-ink-3">
            {desired ? `by ${version.actorName}` : version.answers ? `answers ${version.answers}` : ''}
          </span>
          <RelativeTime at={version.at} className="text-ink-3 text-xs" />
        </summary>
        {changes.length === 0 ? (
          <p className="px-3.5 pb-2 text-ink-2 text-sm">Says the same as the one before.</p>
        ) : (
          <JsonChanges changes={changes} before="before" after="after" />
        )}
        {desired && !current && onRestore && (
          <Button className="mx-3.5 mt-1 mb-3" onClick={() => onRestore(version.document)}>
            <RotateCcw aria-hidden="true" className="size-3.5" />
            Desire this again
          </Button>
        )}
      </details>
    </li>
  );
}
