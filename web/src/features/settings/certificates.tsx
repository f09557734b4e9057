import { BadgeCheck } from 'lucide-react';
import { useMemo } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { CertificateState } from '../../generated/graphql.ts';
import { PageHeader } from '../../shell/page.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { cx } from '../../ui/class-names.ts';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { type UrlCodec, useUrlState } from '../../ui/url-state.ts';
import { reasonName } from '../devices/certificate-dialogs.tsx';
import { type CertificateRow, certificateListDocument } from './certificate-documents.ts';
import { TenantCa } from './tenant-ca.tsx';

const pageSize = 50;
const views: readonly { readonly state: CertificateState; readonly label: string; readonly none: string }[] =
  [
    { state: 'EXPIRING', label: 'Expiring', none: 'Nothing ends within 30 days' },
    { state: 'GOOD', label: 'Good', none: 'No device has a certificate yet' },
    { state: 'REVOKED', label: 'Revoked', none: 'Nothing was revoked' },
    { state: 'EXPIRED', label: 'Expired', none: 'Nothing has expired' },
  ];

const stateCodec: UrlCodec<CertificateState> = {
  parse: (query) =>
    views.find(({ state }) => state.toLowerCase() === query.get('state'))?.state ?? 'EXPIRING',
  format: (state) => new URLSearchParams(state === 'EXPIRING' ? {} : { state: state.toLowerCase() }),
};

/** The authorities of the tenant, and the certificates they signed, by what those are good for. */
export function Certificates() {
  const [state, setState] = useUrlState(stateCodec);
  return (
    <>
      <PageHeader title="Certificates" />
      <TenantCa />
      <div className="flex flex-wrap gap-1 border-line border-b px-4 pb-2 sm:px-5">
        {views.map((view) => (
          <button
            key={view.state}
            type="button"
            aria-pressed={view.state === state}
            onClick={() => setState(view.state)}
            className={cx(
              'h-7 rounded-md px-2.5 text-sm',
              view.state === state
                ? 'bg-accent-soft font-semibold text-accent'
                : 'text-ink-2 hover:bg-hover hover:text-ink',
            )}
          >
            {view.label}
          </button>
        ))}
      </div>
      <CertificateList key={state} state={state} />
    </>
  );
}

function CertificateList({ state }: { state: CertificateState }) {
  const client = useClient();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: certificateListDocument,
        variables: (after) => ({ state, first: pageSize, after }),
        read: ({ certificates }) => ({
          ...certificates.pageInfo,
          nodes: certificates.nodes,
          totalCount: certificates.totalCount,
        }),
      }),
    [client, state],
  );
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  const columns = useMemo(() => certificateColumns(state), [state]);
  if (error && nodes.length === 0) return <ErrorPanel error={error} onRetry={pager.reload} />;
  if (loading === false && nodes.length === 0) {
    return (
      <EmptyState
        icon={BadgeCheck}
        title={views.find((view) => view.state === state)?.none ?? ''}
        action={
          <Link to="/devices" className={buttonClass('plain')}>
            All devices
          </Link>
        }
      >
        Certificates are made and renewed on a device’s Details.
      </EmptyState>
    );
  }
  return (
    <DataTable
      label="Certificates"
      columns={columns}
      rows={nodes}
      rowId={(certificate) => certificate.id}
      rowHeight={52}
      totalCount={totalCount}
      hasMore={hasMore}
      loading={loading}
      onNearEnd={pager.loadMore}
    />
  );
}

function certificateColumns(state: CertificateState): readonly Column<CertificateRow>[] {
  const revoked = state === 'REVOKED';
  return [
    {
      id: 'device',
      header: 'Device',
      track: 'minmax(10rem, 2fr)',
      cell: ({ device }) => (
        <>
          <Link
            to={`/devices/${encodeURIComponent(device.key)}/credentials`}
            className="block truncate font-medium hover:underline"
          >
            {device.name}
          </Link>
          <span className="block truncate font-mono text-ink-3 text-xs">{device.key}</span>
        </>
      ),
    },
    {
      id: 'serial',
      header: 'Serial number',
      track: 'minmax(8rem, 1fr)',
      from: 'sm',
      cell: ({ serialNumber }) => (
        <span className="truncate font-mono text-ink-2 text-xs" title={serialNumber ?? ''}>
          {serialNumber}
        </span>
      ),
    },
    {
      id: 'authority',
      header: 'Authority',
      track: '6rem',
      from: 'lg',
      cell: ({ authorityGeneration }) => <span className="tabular-nums">{authorityGeneration}</span>,
    },
    revoked
      ? {
          id: 'reason',
          header: 'Reason',
          track: 'minmax(9rem, 1fr)',
          from: 'sm',
          cell: ({ revocationReason }) => <span className="truncate">{reasonName(revocationReason)}</span>,
        }
      : {
          id: 'used',
          header: 'Last used',
          track: '8rem',
          from: 'sm',
          cell: ({ lastUsedAt }) => <RelativeTime at={lastUsedAt} className="text-ink-2" />,
        },
    {
      id: 'end',
      header: revoked ? 'Revoked' : 'Ends',
      track: '8rem',
      cell: (certificate) => (
        <RelativeTime at={endOf(certificate, revoked)} ahead={!revoked} className="text-ink-2" />
      ),
    },
  ];
}

/** When it ended, or will: whatever comes first. */
function endOf({ revokedAt, retiresAt, expiresAt }: CertificateRow, revoked: boolean): string | null {
  if (revoked) return revokedAt ?? retiresAt ?? null;
  const ends = [retiresAt, expiresAt].flatMap((at) => (at ? [at] : []));
  return ends.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}
