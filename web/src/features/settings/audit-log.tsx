import { Download, ScrollText } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { useClient } from 'urql';
import { mayAdminister, useAccount } from '../../auth/viewer.tsx';
import { describeError } from '../../data/client.ts';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { AuditExportFormat, AuditRowFragment } from '../../generated/graphql.ts';
import { graphql } from '../../generated/index.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { announce } from '../../ui/toast.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { AdminsOnly } from './admins-only.tsx';
import { actionNames, actionOf } from './audit-actions.ts';
import { AuditDetail } from './audit-detail.tsx';
import { type AuditView, auditViewCodec, emptyAuditView, toAuditFilter } from './audit-view.ts';

// What a row and its details show. Codegen finds it here; documents name it.
graphql(`
  fragment AuditRow on AuditEntry {
    id
    at
    action
    actor {
      id
      kind
      name
    }
    target {
      id
      type
      label
    }
    before
    after
    ip
    requestId
  }
`);

const auditLogDocument = graphql(`
  query AuditLog($first: Int!, $after: String, $where: AuditFilter) {
    auditEntries(first: $first, after: $after, where: $where) {
      nodes {
        ...AuditRow
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

const auditExportDocument = graphql(`
  mutation AuditExport($input: AuditExportCreateInput!) {
    auditExportCreate(input: $input) {
      __typename
      ... on AuditExportCreateSuccess {
        url
      }
      ...Failure
    }
  }
`);

const pageSize = 50;
const actionOptions = Object.entries(actionNames).map(([value, label]) => ({ value, label }));

/** Who changed what, newest first; filtered by the URL. */
export function AuditLog() {
  const { viewer } = useAccount();
  if (!mayAdminister(viewer.role)) return <AdminsOnly title="Audit log">reads its audit log.</AdminsOnly>;
  return <EntryList />;
}

function EntryList() {
  const client = useClient();
  const [view, setView] = useUrlState(auditViewCodec);
  const [open, setOpen] = useState<AuditRowFragment>();
  const key = auditViewCodec.format(view).toString();
  const pager = useMemo(() => {
    const where = toAuditFilter(auditViewCodec.parse(new URLSearchParams(key)));
    return createPager({
      client,
      document: auditLogDocument,
      variables: (after) => ({ first: pageSize, after, where }),
      read: ({ auditEntries }) => ({ ...auditEntries.pageInfo, nodes: auditEntries.nodes }),
    });
  }, [client, key]);
  const { nodes, hasMore, loading, error } = usePager(pager);
  const columns = useMemo(() => auditColumns(setOpen), []);
  const download = async (format: AuditExportFormat) => {
    const input = { format, where: toAuditFilter(view) };
    const { data, error: problem } = await client.mutation(auditExportDocument, { input }).toPromise();
    const result = data?.auditExportCreate;
    if (result?.__typename === 'AuditExportCreateSuccess') location.assign(result.url);
    else
      announce(
        result?.message ?? (problem ? describeError(problem).message : 'Nothing was downloaded.'),
        'bad',
      );
  };
  return (
    <>
      <PageHeader
        title="Audit log"
        actions={
          <>
            <Menu
              align="end"
              trigger={
                <Button>
                  <Download aria-hidden="true" className="size-4" />
                  Download
                </Button>
              }
            >
              <MenuItem onSelect={() => void download('CSV')}>CSV, for spreadsheets</MenuItem>
              <MenuItem onSelect={() => void download('JSONL')}>JSON lines, for programs</MenuItem>
            </Menu>
            <Button onClick={pager.reload}>Refresh</Button>
          </>
        }
      />
      <Filters view={view} onChange={setView} />
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState icon={ScrollText} title={key === '' ? 'Nothing has been changed yet' : 'Nothing matches'}>
          Every change that a person or a program makes is kept here.
        </EmptyState>
      ) : (
        <DataTable
          label="Audit log"
          columns={columns}
          rows={nodes}
          rowId={(entry) => entry.id}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open && <AuditDetail entry={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

type FiltersProps = { view: AuditView; onChange: (view: AuditView) => void };

function Filters({ view, onChange }: FiltersProps) {
  const onTarget = useCallback((target: string) => onChange({ ...view, target }), [view, onChange]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet
    <div
      role="search"
      className="flex shrink-0 flex-wrap items-center gap-2 border-line border-b px-4 pb-3 sm:px-5"
    >
      <SearchField value={view.target} onChange={onTarget} label="Device or key that was changed" />
      <FilterMenu
        label="Action"
        options={actionOptions}
        value={view.actions}
        onChange={(actions) => onChange({ ...view, actions })}
      />
      <Day label="From" value={view.from} onChange={(from) => onChange({ ...view, from })} />
      <Day label="To" value={view.to} onChange={(to) => onChange({ ...view, to })} />
      {view.actor !== '' && (
        <Button
          aria-label={`Remove filter: by ${view.actor}`}
          onClick={() => onChange({ ...view, actor: '' })}
        >
          by: {view.actor} ×
        </Button>
      )}
      {auditViewCodec.format(view).size > 0 && (
        <Button look="quiet" onClick={() => onChange(emptyAuditView)}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

function Day({ label, value, onChange }: { label: string; value: string; onChange: (day: string) => void }) {
  return (
    <label className="flex items-center gap-1.5 text-ink-2 text-sm">
      {label}
      <input
        type="date"
        value={value}
        onChange={(event) => onChange(event.target.value)}
        className="h-8 rounded-md border border-line bg-surface px-2 text-ink text-sm shadow-1"
      />
    </label>
  );
}

function auditColumns(onOpen: (entry: AuditRowFragment) => void): readonly Column<AuditRowFragment>[] {
  return [
    {
      id: 'at',
      header: 'When',
      track: '7.5rem',
      cell: (entry) => <RelativeTime at={entry.at} className="text-ink-2" />,
    },
    {
      id: 'actor',
      header: 'Who',
      track: 'minmax(8rem, 1fr)',
      from: 'sm',
      cell: (entry) => <span className="block truncate">{entry.actor.name}</span>,
    },
    {
      id: 'action',
      header: 'What',
      track: 'minmax(9rem, 1fr)',
      cell: (entry) => (
        <button
          type="button"
          onClick={() => onOpen(entry)}
          className="block max-w-full truncate rounded-sm text-left font-medium after:absolute after:inset-0 hover:text-accent"
        >
          {actionOf(entry.action)}
        </button>
      ),
    },
    {
      id: 'target',
      header: 'To what',
      track: 'minmax(8rem, 2fr)',
      cell: (entry) => <span className="block truncate font-mono text-sm">{entry.target.label}</span>,
    },
    {
      id: 'ip',
      header: 'From where',
      track: '9rem',
      from: 'lg',
      cell: (entry) => <span className="block truncate font-mono text-ink-3 text-xs">{entry.ip ?? '–'}</span>,
    },
  ];
}
