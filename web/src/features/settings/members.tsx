import { Ellipsis, UserPlus, Users } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useClient, useQuery } from 'urql';
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
import { SearchField } from '../../ui/search-field.tsx';
import { AdminsOnly } from './admins-only.tsx';
import { ChangeRole, InviteMember, RemoveMember, RevokeInvitation } from './member-dialogs.tsx';
import {
  type InvitationRow,
  type MemberRow,
  memberListDocument,
  pendingInvitationsDocument,
} from './member-documents.ts';
import { roleNames } from './role-names.ts';

const pageSize = 50;

type Open =
  | { readonly what: 'invite' }
  | { readonly what: 'role' | 'remove'; readonly member: MemberRow }
  | { readonly what: 'revoke'; readonly invitation: InvitationRow }
  | undefined;

/** Who belongs to the tenant: invite, change roles, remove. */
export function Members() {
  const { viewer } = useAccount();
  if (!mayAdminister(viewer.role)) return <AdminsOnly title="Members">manages its members.</AdminsOnly>;
  return <MemberList />;
}

function MemberList() {
  const client = useClient();
  const { viewer } = useAccount();
  const [search, setSearch] = useState('');
  const [open, setOpen] = useState<Open>();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: memberListDocument,
        variables: (after) => ({ first: pageSize, after, where: search === '' ? null : { search } }),
        read: ({ members }) => ({
          ...members.pageInfo,
          nodes: members.nodes,
          totalCount: members.totalCount,
        }),
      }),
    [client, search],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const [pending, readPending] = useQuery({
    query: pendingInvitationsDocument,
    requestPolicy: 'cache-and-network',
  });
  const columns = useMemo(() => memberColumns(setOpen, viewer.email), [viewer.email]);
  const close = () => setOpen(undefined);
  const refresh = () => {
    pager.reload();
    readPending({ requestPolicy: 'network-only' });
  };
  return (
    <>
      <PageHeader
        title="Members"
        actions={
          <Button look="primary" onClick={() => setOpen({ what: 'invite' })}>
            <UserPlus aria-hidden="true" className="size-4" />
            Invite
          </Button>
        }
      />
      <Pending
        invitations={pending.data?.invitations.nodes ?? []}
        onRevoke={(invitation) => setOpen({ what: 'revoke', invitation })}
      />
      <div className="shrink-0 border-line border-b px-4 pb-3 sm:px-5">
        <SearchField value={search} onChange={setSearch} label="Name or e-mail address" />
      </div>
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={Users}
          title={search === '' ? 'Nobody has signed in yet' : 'Nobody matches'}
          action={<Button onClick={() => setOpen({ what: 'invite' })}>Invite somebody</Button>}
        >
          People come in by an invitation, or because the identity provider names this tenant.
        </EmptyState>
      ) : (
        <DataTable
          label="Members"
          columns={columns}
          rows={nodes}
          rowId={(member) => member.id}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open?.what === 'invite' && <InviteMember onDone={refresh} onClose={close} />}
      {open?.what === 'role' && <ChangeRole member={open.member} onDone={refresh} onClose={close} />}
      {open?.what === 'remove' && <RemoveMember member={open.member} onDone={refresh} onClose={close} />}
      {open?.what === 'revoke' && (
        <RevokeInvitation invitation={open.invitation} onDone={refresh} onClose={close} />
      )}
    </>
  );
}

type PendingProps = {
  invitations: readonly InvitationRow[];
  onRevoke: (invitation: InvitationRow) => void;
};

function Pending({ invitations, onRevoke }: PendingProps) {
  if (invitations.length === 0) return null;
  return (
    <section aria-label="Pending invitations" className="shrink-0 px-4 pb-3 sm:px-5">
      <h2 className="mb-1 font-semibold text-sm">Pending invitations</h2>
      <ul className="max-h-40 divide-y divide-line overflow-y-auto rounded-md border border-line bg-surface">
        {invitations.map((invitation) => (
          <li key={invitation.id} className="flex min-h-10 flex-wrap items-center gap-x-3 px-3 py-1 text-sm">
            <span className="min-w-0 basis-full truncate font-medium sm:flex-1 sm:basis-0">
              {invitation.email}
            </span>
            <span className="flex-1 text-ink-2 sm:flex-none">{roleNames[invitation.role]}</span>
            <span className="text-ink-3 text-xs">
              expires <RelativeTime at={invitation.expiresAt} ahead />
            </span>
            <Button
              look="quiet"
              aria-label={`Revoke the invitation of ${invitation.email}`}
              onClick={() => onRevoke(invitation)}
            >
              Revoke…
            </Button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function memberColumns(
  onOpen: (open: Open) => void,
  ownEmail: string | null | undefined,
): readonly Column<MemberRow>[] {
  return [
    {
      id: 'name',
      header: 'Name',
      track: 'minmax(10rem, 2fr)',
      cell: (member) => (
        <>
          <span className="block truncate font-medium">
            {member.name}
            {member.email !== null && member.email === ownEmail && (
              <span className="ml-1.5 font-normal text-ink-3 text-xs">you</span>
            )}
          </span>
          <span className="block truncate text-ink-3 text-xs">{member.email ?? member.subject}</span>
        </>
      ),
    },
    {
      id: 'role',
      header: 'Role',
      track: '8rem',
      cell: (member) => (
        <>
          <span className="block">{roleNames[member.role]}</span>
          {member.roleSource === 'PROVIDER' && (
            <span className="block truncate text-ink-3 text-xs">from the provider</span>
          )}
        </>
      ),
    },
    {
      id: 'origin',
      header: 'Came by',
      track: '9rem',
      from: 'lg',
      cell: (member) => (member.origin === 'PROVIDER' ? 'Identity provider' : 'Invitation'),
    },
    {
      id: 'seen',
      header: 'Last sign-in',
      track: '8rem',
      from: 'sm',
      cell: (member) => <RelativeTime at={member.lastSignInAt} className="text-ink-2" />,
    },
    {
      id: 'actions',
      header: '',
      track: '2.5rem',
      cell: (member) => <Actions member={member} onOpen={onOpen} />,
    },
  ];
}

function Actions({ member, onOpen }: { member: MemberRow; onOpen: (open: Open) => void }) {
  return (
    <Menu
      align="end"
      trigger={
        <Button look="quiet" icon aria-label={`Actions for ${member.name}`}>
          <Ellipsis aria-hidden="true" className="size-4" />
        </Button>
      }
    >
      <MenuItem onSelect={() => onOpen({ what: 'role', member })}>Change role…</MenuItem>
      <MenuItem danger onSelect={() => onOpen({ what: 'remove', member })}>
        Remove…
      </MenuItem>
    </Menu>
  );
}
