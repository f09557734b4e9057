import { Ellipsis, KeyRound, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useClient } from 'urql';
import { mayAdminister, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { AdminsOnly } from './admins-only.tsx';
import { CreateKey, RevokeKey, RotateKey } from './api-key-dialogs.tsx';
import { type ApiKeyRow, apiKeyListDocument } from './api-key-documents.ts';
import { roleNames } from './role-names.ts';

const pageSize = 50;

type Open =
  | { readonly what: 'create' }
  | { readonly what: 'rotate' | 'revoke'; readonly apiKey: ApiKeyRow }
  | undefined;

/** The keys that programs sign in with: make, rotate, revoke. */
export function ApiKeys() {
  const { viewer } = useAccount();
  if (!mayAdminister(viewer.role)) return <AdminsOnly title="API keys">manages its API keys.</AdminsOnly>;
  return <KeyList />;
}

function KeyList() {
  const client = useClient();
  const [open, setOpen] = useState<Open>();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: apiKeyListDocument,
        variables: (after) => ({ first: pageSize, after }),
        read: ({ apiKeys }) => ({
          ...apiKeys.pageInfo,
          nodes: apiKeys.nodes,
          totalCount: apiKeys.totalCount,
        }),
      }),
    [client],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const columns = useMemo(() => keyColumns(setOpen), []);
  const close = () => setOpen(undefined);
  const add = (
    <Button look="primary" onClick={() => setOpen({ what: 'create' })}>
      <Plus aria-hidden="true" className="size-4" />
      New API key
    </Button>
  );
  return (
    <>
      <PageHeader title="API keys" actions={add} />
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState icon={KeyRound} title="No API keys">
          A program that reads or changes devices presents a key instead of signing in.
        </EmptyState>
      ) : (
        <DataTable
          label="API keys"
          columns={columns}
          rows={nodes}
          rowId={(apiKey) => apiKey.id}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open?.what === 'create' && <CreateKey onCreated={pager.reload} onClose={close} />}
      {open?.what === 'rotate' && <RotateKey apiKey={open.apiKey} onClose={close} />}
      {open?.what === 'revoke' && <RevokeKey apiKey={open.apiKey} onClose={close} />}
    </>
  );
}

function keyColumns(onOpen: (open: Open) => void): readonly Column<ApiKeyRow>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      track: 'minmax(10rem, 2fr)',
      cell: (apiKey) => (
        <>
          <span className="block truncate font-medium">{apiKey.name}</span>
          <span className="block truncate font-mono text-ink-3 text-xs">{apiKey.prefix}_…</span>
        </>
      ),
    },
    {
      id: 'role',
      header: 'Role',
      track: '8rem',
      from: 'sm',
      cell: (apiKey) => (
        <>
          <span className="block">{roleNames[apiKey.role]}</span>
          {apiKey.scopes.length > 0 && (
            <span className="block truncate text-ink-3 text-xs" title={apiKey.scopes.join(', ')}>
              only {apiKey.scopes.join(', ')}
            </span>
          )}
        </>
      ),
    },
    { id: 'state', header: 'State', track: 'minmax(6rem, 1fr)', cell: (apiKey) => <State apiKey={apiKey} /> },
    {
      id: 'used',
      header: 'Last used',
      track: '8rem',
      from: 'sm',
      cell: (apiKey) => <RelativeTime at={apiKey.lastUsedAt} className="text-ink-2" />,
    },
    {
      id: 'expires',
      header: 'Expires',
      track: '8rem',
      from: 'lg',
      cell: (apiKey) => <RelativeTime at={apiKey.expiresAt} ahead className="text-ink-2" />,
    },
    {
      id: 'actions',
      header: '',
      track: '2.5rem',
      cell: (apiKey) => !apiKey.revokedAt && <Actions apiKey={apiKey} onOpen={onOpen} />,
    },
  ];
}

function State({ apiKey }: { apiKey: ApiKeyRow }) {
  if (apiKey.revokedAt) return <StatusBadge shape="square" tone="idle" label="Revoked" />;
  if (apiKey.expiresAt && Date.parse(apiKey.expiresAt) <= Date.now())
    return <StatusBadge shape="square" tone="idle" label="Expired" />;
  if (apiKey.previousExpiresAt && Date.parse(apiKey.previousExpiresAt) > Date.now())
    return <StatusBadge shape="half" tone="warn" label="Rotating" />;
  return <StatusBadge shape="disc" tone="good" label="Active" />;
}

function Actions({ apiKey, onOpen }: { apiKey: ApiKeyRow; onOpen: (open: Open) => void }) {
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label={`Actions for ${apiKey.name}`}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => onOpen({ what: 'rotate', apiKey })}>Rotate…</MenuItem>
      <MenuItem danger onSelect={() => onOpen({ what: 'revoke', apiKey })}>
        Revoke…
      </MenuItem>
    </Menu>
  );
}
