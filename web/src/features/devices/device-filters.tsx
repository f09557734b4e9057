import { useCallback } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../generated/index.ts';
import { Button } from '../../ui/button.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { connections, type DeviceView, emptyView, freshnesses, isFiltered, statuses } from './device-view.ts';
import { connectivity, deviceStatus, freshness } from './presence.ts';

function toOptions<Value extends string>(
  values: readonly Value[],
  looks: Record<Value, { readonly label: string }>,
) {
  return values.map((value) => ({ value, label: looks[value].label }));
}
const connectionOptions = toOptions(connections, connectivity);
const freshnessOptions = toOptions(freshnesses, freshness);
const statusOptions = toOptions(statuses, deviceStatus);

const choicesDocument = graphql(`
  query DeviceFilterChoices {
    sites(first: 100) {
      nodes {
        id
        key
        name
      }
    }
    groups(first: 100) {
      nodes {
        id
        key
        name
      }
    }
    templates(first: 100) {
      nodes {
        id
        key
        name
      }
    }
  }
`);

/** Filters by what has a key, by their names in the view. */
const keyed = [
  { name: 'sites', label: 'Site' },
  { name: 'groups', label: 'Group' },
  { name: 'templates', label: 'Template' },
] as const;

/** What there is, and what was chosen all the same. */
const keyedOptions = (
  nodes: readonly { readonly key: string; readonly name: string }[],
  chosen: readonly string[],
) => [
  ...nodes.map(({ key, name }) => ({ value: key, label: name })),
  ...chosen
    .filter((key) => nodes.every((node) => node.key !== key))
    .map((key) => ({ value: key, label: key })),
];

type DeviceFiltersProps = {
  view: DeviceView;
  onChange: (view: DeviceView) => void;
  count: number | undefined;
};

/** The search and the menus that narrow the fleet, and how many devices are left. */
export function DeviceFilters({ view, onChange, count }: DeviceFiltersProps) {
  const [{ data }] = useQuery({ query: choicesDocument, requestPolicy: 'cache-and-network' });
  const onSearch = useCallback((search: string) => onChange({ ...view, search }), [view, onChange]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: <search> is not known to every screen reader yet
    <div
      role="search"
      className="flex shrink-0 flex-wrap items-center gap-2 border-line border-b px-4 pb-3 sm:px-5"
    >
      <SearchField value={view.search} onChange={onSearch} label="Name, key or serial number" />
      <div className="-mx-4 flex max-w-[100vw] gap-2 overflow-x-auto px-4 py-px max-sm:w-screen sm:mx-0 sm:flex-wrap sm:px-0">
        <FilterMenu
          label="Connection"
          options={connectionOptions}
          value={view.connections}
          onChange={(value) => onChange({ ...view, connections: value })}
        />
        <FilterMenu
          label="Freshness"
          options={freshnessOptions}
          value={view.freshness}
          onChange={(value) => onChange({ ...view, freshness: value })}
        />
        <FilterMenu
          label="Status"
          options={statusOptions}
          value={view.statuses}
          onChange={(value) => onChange({ ...view, statuses: value })}
        />
        {keyed.map(({ name, label }) => {
          const options = keyedOptions(data?.[name].nodes ?? [], view[name]);
          if (options.length === 0) return null;
          return (
            <FilterMenu
              key={name}
              label={label}
              options={options}
              value={view[name]}
              onChange={(value) => onChange({ ...view, [name]: value })}
            />
          );
        })}
        {view.tags.map((tag) => (
          <Button
            key={tag}
            look="plain"
            aria-label={`Remove filter: tag ${tag}`}
            onClick={() => onChange({ ...view, tags: view.tags.filter((each) => each !== tag) })}
          >
            tag: {tag} ×
          </Button>
        ))}
        {isFiltered(view) && (
          <Button look="quiet" onClick={() => onChange({ ...emptyView, sort: view.sort })}>
            Clear filters
          </Button>
        )}
      </div>
      <span role="status" className="ml-auto hidden text-ink-3 text-sm sm:block">
        {count !== undefined && `${count.toLocaleString()} ${count === 1 ? 'device' : 'devices'}`}
      </span>
    </div>
  );
}
