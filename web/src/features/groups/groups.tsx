import { Boxes, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link, useNavigate } from 'react-router';
import { useClient } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { GroupDrawer } from './group-dialogs.tsx';
import { type Group, groupPageDocument } from './group-documents.ts';
import { describeFilter } from './group-form.ts';

const pageSize = 50;

export const groupPath = (key: string): string => `/groups/${encodeURIComponent(key)}`;

/** All groups. What a rule, a command or an export is about is a group. */
export function Groups() {
  const client = useClient();
  const navigate = useNavigate();
  const { viewer } = useAccount();
  const mayWrite = mayWriteDevices(viewer.role);
  const [search, setSearch] = useState('');
  const [making, setMaking] = useState(false);
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: groupPageDocument,
        variables: (after) => ({ first: pageSize, after, where: search === '' ? null : { search } }),
        read: ({ groups }) => ({ ...groups.pageInfo, nodes: groups.nodes, totalCount: groups.totalCount }),
      }),
    [client, search],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const add = (
    <Button look="primary" onClick={() => setMaking(true)}>
      <Plus aria-hidden="true" className="size-4" />
      New group
    </Button>
  );
  return (
    <>
      <PageHeader title="Groups" actions={mayWrite && add} />
      <div className="shrink-0 border-line border-b px-4 pb-3 sm:px-5">
        <SearchField value={search} onChange={setSearch} label="Name, key or description" />
      </div>
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={Boxes}
          title={search === '' ? 'No groups yet' : 'No group matches'}
          action={
            search === '' ? mayWrite && add : <Button onClick={() => setSearch('')}>Clear the search</Button>
          }
        >
          A group is some devices that are meant together: chosen one by one, or whatever meets conditions.
        </EmptyState>
      ) : (
        <DataTable
          label="Groups"
          columns={columns}
          rows={nodes}
          rowId={(group) => group.id}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {making && (
        <GroupDrawer onDone={(group) => navigate(groupPath(group.key))} onClose={() => setMaking(false)} />
      )}
    </>
  );
}

const columns: readonly Column<Group>[] = [
  {
    id: 'name',
    header: 'Name',
    track: 'minmax(10rem, 1.2fr)',
    cell: (group) => (
      <>
        <Link
          to={groupPath(group.key)}
          className="block truncate font-medium outline-none after:absolute after:inset-0 hover:text-accent focus-visible:text-accent"
        >
          {group.name}
        </Link>
        <span className="block truncate font-mono text-ink-3 text-xs">{group.key}</span>
      </>
    ),
  },
  {
    id: 'devices',
    header: 'Devices',
    track: '5rem',
    cell: ({ deviceCount }) => deviceCount.toLocaleString(),
  },
  {
    id: 'who',
    header: 'Who is in it',
    track: 'minmax(10rem, 2fr)',
    from: 'sm',
    cell: ({ kind, filter }) => (
      <span className="block truncate text-ink-2">
        {kind === 'STATIC' ? 'chosen one by one' : describeFilter(filter).join(' · ') || 'every device'}
      </span>
    ),
  },
  {
    id: 'description',
    header: 'Description',
    track: 'minmax(8rem, 1fr)',
    from: 'lg',
    cell: ({ description }) => <span className="block truncate text-ink-2">{description || '–'}</span>,
  },
];
