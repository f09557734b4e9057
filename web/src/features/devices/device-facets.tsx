import { useEffect } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated/index.ts';
import { cx } from '../../ui/class-names.ts';
import { StatusShape } from '../../ui/status.tsx';
import { type DeviceView, emptyView } from './device-view.ts';
import { connectivity, freshness, type Look } from './presence.ts';

const facetDocument = graphql(`
  query DeviceFacets {
    fleetSummary {
      all: devices
      online
      offline
      stale
      silent
    }
  }
`);

const refreshMs = 15_000;

type Facet = {
  readonly id: 'all' | 'online' | 'offline' | 'stale' | 'silent';
  readonly look?: Look;
  readonly view: DeviceView;
};

const facets: readonly Facet[] = [
  { id: 'all', view: emptyView },
  { id: 'online', look: connectivity.ONLINE, view: { ...emptyView, connections: ['ONLINE'] } },
  { id: 'offline', look: connectivity.OFFLINE, view: { ...emptyView, connections: ['OFFLINE'] } },
  { id: 'stale', look: freshness.STALE, view: { ...emptyView, freshness: ['STALE'] } },
  { id: 'silent', look: freshness.SILENT, view: { ...emptyView, freshness: ['SILENT'] } },
];

type DeviceFacetsProps = { view: DeviceView; onChange: (view: DeviceView) => void };

/** The fleet by presence: five counts, each a view of the list. Counted again every 15 s. */
export function DeviceFacets({ view, onChange }: DeviceFacetsProps) {
  const [{ data }, refresh] = useQuery({ query: facetDocument, requestPolicy: 'cache-and-network' });
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) refresh({ requestPolicy: 'network-only' });
    }, refreshMs);
    return () => clearInterval(timer);
  }, [refresh]);
  return (
    <div className="flex shrink-0 gap-1 overflow-x-auto px-4 pb-2 sm:px-5">
      {facets.map((facet) => {
        const active =
          view.connections.join() === facet.view.connections.join() &&
          view.freshness.join() === facet.view.freshness.join();
        return (
          <button
            key={facet.id}
            type="button"
            aria-pressed={active}
            onClick={() =>
              onChange({ ...view, connections: facet.view.connections, freshness: facet.view.freshness })
            }
            className={cx(
              'flex h-8 shrink-0 items-center gap-2 rounded-md border px-2.5 text-sm',
              active
                ? 'border-line-strong bg-surface font-semibold shadow-1'
                : 'border-transparent text-ink-2 hover:bg-hover',
            )}
          >
            {facet.look && <StatusShape shape={facet.look.shape} tone={facet.look.tone} />}
            {facet.look?.label ?? 'All'}
            <span className={cx('min-w-4 text-right', active ? 'text-ink' : 'text-ink-3')}>
              {data?.fleetSummary[facet.id] ?? '·'}
            </span>
          </button>
        );
      })}
    </div>
  );
}
