import { ShieldCheck } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { useClient } from 'urql';
import { mayOperate, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { QuarantineRowFragment } from '../../generated/graphql.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { useUrlState } from '../../ui/url-state.ts';
import { BulkDialog } from './bulk-dialog.tsx';
import { quarantineListDocument } from './documents.ts';
import { JobProgress } from './job-progress.tsx';
import { QuarantineDetail } from './quarantine-detail.tsx';
import {
  emptyQuarantineView,
  type QuarantineView,
  quarantineViewCodec,
  reasonNames,
  reasonOf,
  statuses,
  statusNames,
  toQuarantineFilter,
} from './quarantine-view.ts';
import { ReasonsChart } from './reasons-chart.tsx';

const pageSize = 50;
const reasonOptions = Object.entries(reasonNames).map(([value, label]) => ({ value, label }));
const statusOptions = statuses.map((value) => ({ value, label: statusNames[value] }));

/** What was turned away: why, the bytes, and how to make it right. Filtered by the URL. */
export function Quarantine() {
  const client = useClient();
  const { viewer } = useAccount();
  const [view, setView] = useUrlState(quarantineViewCodec);
  const [open, setOpen] = useState<QuarantineRowFragment>();
  const [bulk, setBulk] = useState<'REPLAY' | 'DISCARD'>();
  const [job, setJob] = useState<string>();
  const [asked, setAsked] = useState(0);
  const key = quarantineViewCodec.format(view).toString();
  const pager = useMemo(() => {
    const where = toQuarantineFilter(quarantineViewCodec.parse(new URLSearchParams(key)));
    return createPager({
      client,
      document: quarantineListDocument,
      variables: (after) => ({ first: pageSize, after, where }),
      read: ({ quarantine }) => ({ ...quarantine.pageInfo, nodes: quarantine.nodes }),
    });
  }, [client, key]);
  const { nodes, hasMore, loading, error } = usePager(pager);
  const { reload } = pager;
  const refresh = useCallback(() => {
    reload();
    setAsked((times) => times + 1);
  }, [reload]);
  const columns = useMemo(() => quarantineColumns(setOpen), []);
  const mayChange = mayOperate(viewer.role);
  const onReason = useCallback((reason: string) => setView({ ...view, reasons: [reason] }), [view, setView]);
  const started = (id: string) => {
    setOpen(undefined);
    setBulk(undefined);
    setJob(id);
  };
  return (
    <>
      <PageHeader
        title="Quarantine"
        actions={
          <>
            {mayChange && nodes.length > 0 && (
              <>
                <Button onClick={() => setBulk('REPLAY')}>Replay all…</Button>
                <Button onClick={() => setBulk('DISCARD')}>Discard all…</Button>
              </>
            )}
            <Button onClick={refresh}>Refresh</Button>
          </>
        }
      />
      {job && <JobProgress id={job} onSettled={refresh} onClose={() => setJob(undefined)} />}
      <Filters view={view} onChange={setView} />
      <ReasonsChart view={view} asked={asked} onReason={onReason} />
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={ShieldCheck}
          title={key === '' ? 'Nothing was turned away' : 'Nothing matches'}
          action={
            key === '' ? (
              <Button onClick={refresh}>Look again</Button>
            ) : (
              <Button onClick={() => setView(emptyQuarantineView)}>Clear filters</Button>
            )
          }
        >
          A message that cannot be stored is kept here with its bytes, until it is made right.
        </EmptyState>
      ) : (
        <DataTable
          label="Quarantine"
          columns={columns}
          rows={nodes}
          rowId={(message) => message.id}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {open && (
        <QuarantineDetail
          key={open.id}
          message={open}
          mayChange={mayChange}
          onStarted={started}
          onClose={() => setOpen(undefined)}
        />
      )}
      {bulk && (
        <BulkDialog action={bulk} view={view} onStarted={started} onClose={() => setBulk(undefined)} />
      )}
    </>
  );
}

type FiltersProps = { view: QuarantineView; onChange: (view: QuarantineView) => void };

function Filters({ view, onChange }: FiltersProps) {
  const onDevice = useCallback((device: string) => onChange({ ...view, device }), [view, onChange]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet
    <div
      role="search"
      className="flex shrink-0 flex-wrap items-center gap-2 border-line border-b px-4 pb-3 sm:px-5"
    >
      <SearchField value={view.device} onChange={onDevice} label="Key of a device" />
      <FilterMenu
        label="Reason"
        options={reasonOptions}
        value={view.reasons}
        onChange={(reasons) => onChange({ ...view, reasons })}
      />
      <FilterMenu
        label="State"
        options={statusOptions}
        value={view.status}
        onChange={(status) => onChange({ ...view, status })}
      />
      {quarantineViewCodec.format(view).size > 0 && (
        <Button look="quiet" onClick={() => onChange(emptyQuarantineView)}>
          Clear filters
        </Button>
      )}
    </div>
  );
}

function quarantineColumns(
  onOpen: (message: QuarantineRowFragment) => void,
): readonly Column<QuarantineRowFragment>[] {
  return [
    {
      id: 'received',
      header: 'Arrived',
      track: '5.5rem',
      cell: (message) => <RelativeTime at={message.receivedAt} className="text-ink-2" />,
    },
    {
      id: 'reason',
      header: 'Why',
      track: 'minmax(0, 1fr)',
      cell: (message) => (
        <button
          type="button"
          onClick={() => onOpen(message)}
          className="block max-w-full truncate rounded-sm text-left font-medium after:absolute after:inset-0 hover:text-accent"
        >
          {reasonOf(message.reason)}
        </button>
      ),
    },
    {
      id: 'device',
      header: 'Device',
      track: 'minmax(0, 1fr)',
      cell: (message) => <span className="block truncate font-mono text-sm">{message.deviceKey}</span>,
    },
    {
      id: 'detail',
      header: 'What is wrong',
      track: 'minmax(0, 2fr)',
      from: 'lg',
      cell: (message) => <span className="block truncate text-ink-2">{message.detail}</span>,
    },
    {
      id: 'status',
      header: 'State',
      track: '7rem',
      from: 'sm',
      cell: (message) => <span className="text-ink-2">{statusNames[message.status]}</span>,
    },
  ];
}
