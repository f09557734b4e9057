import { ChevronRight, Cpu, Ellipsis, Pencil, Plus, X } from 'lucide-react';
import { type ReactNode, useMemo, useState } from 'react';
import { Link, useNavigate, useParams } from 'react-router';
import { useClient, useMutation, useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { DeviceOrderField, DeviceRowFragment } from '../../generated/graphql.ts';
import { NoSuch } from '../../shell/no-such.tsx';
import { PageSkeleton, usePageTitle } from '../../shell/page.tsx';
import { useBreakpoint } from '../../ui/breakpoint.ts';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { announce } from '../../ui/toast.tsx';
import { compactColumns, deviceColumns } from '../devices/device-columns.tsx';
import { useVisibleLive } from '../devices/use-visible-live.ts';
import { AddDevices, DeleteGroup, GroupDrawer } from './group-dialogs.tsx';
import {
  type Group,
  groupDevicesDocument,
  groupDocument,
  groupRemoveDevicesDocument,
} from './group-documents.ts';
import { describeFilter } from './group-form.ts';

const pageSize = 50;
type DeviceColumn = Column<DeviceRowFragment, DeviceOrderField>;

/** One group and the devices in it. */
export function GroupPage() {
  const { key = '' } = useParams();
  const [{ data, error, fetching }, refetch] = useQuery({
    query: groupDocument,
    variables: { key },
    requestPolicy: 'cache-and-network',
  });
  const group = data?.group;
  usePageTitle(group?.name ?? key);
  if (group) return <GroupDevices key={JSON.stringify(group.filter)} group={group} />;
  if (fetching) return <PageSkeleton />;
  if (error) return <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />;
  return (
    <NoSuch what="group" list="/groups">
      This tenant has no group with the key <span className="font-mono">{key}</span>.
    </NoSuch>
  );
}

function GroupDevices({ group }: { group: Group }) {
  const client = useClient();
  const { viewer } = useAccount();
  const mayWrite = mayWriteDevices(viewer.role);
  const compact = useBreakpoint() === 'base';
  const [adding, setAdding] = useState(false);
  const [, remove] = useMutation(groupRemoveDevicesDocument);
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: groupDevicesDocument,
        variables: (after) => ({ key: group.key, first: pageSize, after }),
        read: ({ group }) => group && { ...group.devices.pageInfo, nodes: group.devices.nodes },
      }),
    [client, group.key],
  );
  const { nodes, hasMore, loading, error } = usePager(pager);
  const onVisible = useVisibleLive();
  const removable = mayWrite && group.kind === 'STATIC';
  const columns = useMemo(() => {
    const takeOut = async (device: DeviceRowFragment) => {
      const { data, error } = await remove({ input: { id: group.id, target: { ids: [device.id] } } });
      const result = data?.groupRemoveDevices;
      if (result?.__typename === 'GroupRemoveDevicesSuccess') {
        announce(`${device.name} is not in ${group.name} any more.`);
        pager.reload();
      } else announce(failureText(result, error), 'bad');
    };
    const shown = compact ? compactColumns : deviceColumns;
    return removable ? [...shown, removeColumn((device) => void takeOut(device))] : shown;
  }, [compact, removable, remove, group.id, group.name, pager]);
  const add = removable && (
    <Button look="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden="true" className="size-4" />
      Add devices
    </Button>
  );
  return (
    <>
      <GroupHeader group={group} mayWrite={mayWrite} add={nodes.length > 0 && add} />
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState icon={Cpu} title="No device is in this group" action={add}>
          {group.kind === 'STATIC'
            ? 'Devices come into it one by one.'
            : 'No device meets its conditions now. Those that will are in it by themselves.'}
        </EmptyState>
      ) : (
        <DataTable
          label={`Devices in ${group.name}`}
          columns={columns}
          rows={nodes}
          rowId={(device) => device.id}
          totalCount={group.deviceCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
          onVisible={onVisible}
        />
      )}
      {adding && <AddDevices group={group} onDone={pager.reload} onClose={() => setAdding(false)} />}
    </>
  );
}

const removeColumn = (onRemove: (device: DeviceRowFragment) => void): DeviceColumn => ({
  id: 'remove',
  header: 'Actions',
  headerHidden: true,
  track: '2.25rem',
  align: 'end',
  cell: (device) => (
    <Button
      look="quiet"
      icon
      className="relative z-1"
      aria-label={`Take ${device.name} out of the group`}
      onClick={() => onRemove(device)}
    >
      <X aria-hidden="true" className="size-4" />
    </Button>
  ),
});

type GroupHeaderProps = { group: Group; mayWrite: boolean; add: ReactNode };

function GroupHeader({ group, mayWrite, add }: GroupHeaderProps) {
  const navigate = useNavigate();
  const [open, setOpen] = useState<'edit' | 'delete'>();
  const close = () => setOpen(undefined);
  const conditions =
    group.kind === 'STATIC'
      ? 'chosen one by one'
      : describeFilter(group.filter).join(' · ') || 'every device of the tenant';
  return (
    <header className="shrink-0 border-line border-b px-4 pt-3 pb-3 sm:px-5">
      <nav aria-label="Breadcrumb" className="flex items-center gap-1 text-ink-3 text-sm">
        <Link to="/groups" className="rounded-sm hover:text-ink hover:underline">
          Groups
        </Link>
        <ChevronRight aria-hidden="true" className="size-3.5" />
        <span className="truncate font-mono text-xs">{group.key}</span>
      </nav>
      <div className="mt-0.5 flex flex-wrap items-start gap-x-4 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <h1 className="break-words font-semibold text-xl">{group.name}</h1>
          <p className="text-ink-2 text-sm">
            {group.deviceCount.toLocaleString()} {group.deviceCount === 1 ? 'device' : 'devices'},{' '}
            {conditions}
          </p>
          {group.description && <p className="mt-1 max-w-2xl text-ink-2 text-sm">{group.description}</p>}
        </div>
        {mayWrite && (
          <div className="flex gap-2">
            {add}
            <Button onClick={() => setOpen('edit')}>
              <Pencil aria-hidden="true" className="size-3.5" />
              Edit
            </Button>
            <Menu
              align="end"
              trigger={
                <Button icon aria-label="More actions">
                  <Ellipsis aria-hidden="true" className="size-4" />
                </Button>
              }
            >
              <MenuItem danger onSelect={() => setOpen('delete')}>
                Delete…
              </MenuItem>
            </Menu>
          </div>
        )}
      </div>
      {open === 'edit' && <GroupDrawer group={group} onDone={close} onClose={close} />}
      {open === 'delete' && (
        <DeleteGroup group={group} onDone={() => navigate('/groups', { replace: true })} onClose={close} />
      )}
    </header>
  );
}
