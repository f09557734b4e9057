import { useEffect, useMemo, useRef } from 'react';
import { useClient, useQuery } from 'urql';
import { mayOperate, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { Button } from '../../ui/button.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Panel, PanelEmpty } from '../../ui/panel.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { useDevice } from '../devices/device-detail.ts';
import { commandListDocument, commandsDocument, commandTypesDocument } from './command-documents.ts';
import { CommandRow } from './command-row.tsx';
import { SendCommand } from './send-command.tsx';

const pageSize = 20;

/** What the device was told and what came of it, live; and telling it more. */
export function DeviceCommands() {
  const { id, key, status } = useDevice();
  const client = useClient();
  const { viewer } = useAccount();
  const [{ data }] = useQuery({ query: commandTypesDocument, variables: { id } });
  const types = data?.node?.__typename === 'Device' ? data.node : undefined;
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: commandListDocument,
        variables: (after) => ({ id, first: pageSize, after }),
        read: ({ node }) =>
          node?.__typename === 'Device'
            ? { ...node.commands.pageInfo, nodes: node.commands.nodes }
            : undefined,
      }),
    [client, id],
  );
  const { nodes, hasMore, loading, error } = usePager(pager);
  const known = useRef<ReadonlySet<string>>(new Set());
  useEffect(() => {
    known.current = new Set(nodes.map((command) => command.id));
  }, [nodes]);
  useEffect(() => {
    const { unsubscribe } = client
      .subscription(commandsDocument, { where: { deviceKeys: [key] } })
      .subscribe(({ data: event }) => {
        const change = event?.commands;
        if (change?.__typename === 'StreamGap') pager.reload();
        if (change?.__typename === 'CommandChange' && !known.current.has(change.command.id)) pager.reload();
      });
    return unsubscribe;
  }, [client, key, pager]);
  const mayWrite = mayOperate(viewer.role) && status === 'ACTIVE';
  const nameOf = (type: string) => types?.commandTypes.find((each) => each.key === type)?.name ?? type;
  return (
    <div className="grid gap-4 p-4 sm:p-5 lg:grid-cols-[minmax(0,1fr)_22rem] lg:items-start">
      {mayWrite && (
        <Panel title="Send a command" className="lg:order-2">
          {!types ? (
            <Skeleton className="m-3.5 h-24" />
          ) : types.template && types.commandTypes.length === 0 ? (
            <PanelEmpty>The template {types.template.name} has no commands.</PanelEmpty>
          ) : (
            <SendCommand types={types} />
          )}
        </Panel>
      )}
      <Panel title="Commands">
        {error && nodes.length === 0 ? (
          <ErrorPanel error={error} onRetry={pager.reload} />
        ) : loading === 'first' && nodes.length === 0 ? (
          <Skeleton className="m-3.5 h-24" />
        ) : nodes.length === 0 ? (
          <PanelEmpty>
            This device was not told anything yet.
            {mayWrite && ' Choose a command and send it: its way is followed here.'}
          </PanelEmpty>
        ) : (
          <ol className="divide-y divide-line">
            {nodes.map((command, index) => (
              <CommandRow
                key={command.id}
                command={command}
                name={nameOf(command.type)}
                mayWrite={mayWrite}
                open={index === 0}
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
    </div>
  );
}
