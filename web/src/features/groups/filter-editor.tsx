import { useEffect, useState } from 'react';
import { useQuery } from 'urql';
import type { DeviceFilter } from '../../generated/graphql.ts';
import { TextAreaField, TextField } from '../../ui/field.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { connections, freshnesses, statuses } from '../devices/device-view.ts';
import { connectivity, deviceStatus, freshness } from '../devices/presence.ts';
import { filterChoicesDocument, filterPreviewDocument } from './group-documents.ts';
import { type FilterValues, moreRule, toFilter } from './group-form.ts';

const settleMs = 350;

type FilterEditorProps = { values: FilterValues; onChange: (values: FilterValues) => void };

/** Which devices a group takes, and how many that are now. */
export function FilterEditor({ values, onChange }: FilterEditorProps) {
  const [{ data }] = useQuery({ query: filterChoicesDocument });
  const named = (nodes: readonly { readonly key: string; readonly name: string }[] | undefined) =>
    (nodes ?? []).map(({ key, name }) => ({ value: key, label: name }));
  const set = (change: Partial<FilterValues>) => onChange({ ...values, ...change });
  const wrong = moreRule(values.more);
  return (
    <fieldset className="flex min-w-0 flex-col gap-4">
      <legend className="mb-1 font-medium text-sm">Devices that meet every condition</legend>
      <div className="flex flex-wrap gap-2">
        <FilterMenu
          label="Connection"
          options={connections.map((value) => ({ value, label: connectivity[value].label }))}
          value={values.connections}
          onChange={(chosen) => set({ connections: chosen })}
        />
        <FilterMenu
          label="Freshness"
          options={freshnesses.map((value) => ({ value, label: freshness[value].label }))}
          value={values.freshness}
          onChange={(chosen) => set({ freshness: chosen })}
        />
        <FilterMenu
          label="Status"
          options={statuses.map((value) => ({ value, label: deviceStatus[value].label }))}
          value={values.statuses}
          onChange={(chosen) => set({ statuses: chosen })}
        />
        <FilterMenu
          label="Site"
          options={named(data?.sites.nodes)}
          value={values.siteKeys}
          onChange={(chosen) => set({ siteKeys: chosen })}
        />
        <FilterMenu
          label="Template"
          options={named(data?.templates.nodes)}
          value={values.templateKeys}
          onChange={(chosen) => set({ templateKeys: chosen })}
        />
      </div>
      <TextField
        label="Text"
        optional
        hint="In the name, the key, the serial number or a tag."
        value={values.search}
        onChange={(event) => set({ search: event.target.value })}
      />
      <TextField
        label="Every one of these tags"
        optional
        value={values.tagsAll}
        onChange={(event) => set({ tagsAll: event.target.value })}
      />
      <div className="grid grid-cols-2 gap-3">
        <TextField
          label="Models"
          optional
          value={values.models}
          onChange={(event) => set({ models: event.target.value })}
        />
        <TextField
          label="Firmwares"
          optional
          value={values.firmwares}
          onChange={(event) => set({ firmwares: event.target.value })}
        />
      </div>
      <TextAreaField
        label="Further conditions"
        optional
        rows={3}
        hint={'As JSON, by the API’s names: {"attributes": {"floor": 3}}.'}
        error={wrong === true ? undefined : wrong}
        value={values.more}
        onChange={(event) => set({ more: event.target.value })}
      />
      {wrong === true && <FilterPreview filter={toFilter(values)} />}
    </fieldset>
  );
}

/** How many devices a filter takes now, asked once typing pauses. */
function FilterPreview({ filter }: { filter: DeviceFilter }) {
  const text = JSON.stringify(filter);
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), settleMs);
    return () => clearTimeout(timer);
  }, [text]);
  const [{ data, error, fetching }] = useQuery({
    query: filterPreviewDocument,
    variables: { where: JSON.parse(settled) },
    requestPolicy: 'network-only',
  });
  const count = data?.devices.totalCount ?? 0;
  const first = data?.devices.nodes.map(({ name }) => name).join(', ');
  return (
    <p
      role="status"
      data-testid="filter-preview"
      data-settled={settled === text && !fetching}
      className="rounded-md border border-line bg-sunken px-3 py-2 text-sm"
    >
      {error ? (
        <span className="text-bad">{error.graphQLErrors[0]?.message ?? 'This cannot be counted now.'}</span>
      ) : (
        <>
          <span className="font-semibold">
            {count.toLocaleString()} {count === 1 ? 'device matches' : 'devices match'}
          </span>
          {first && <span className="text-ink-2">: {first}</span>}
          {count > 5 && <span className="text-ink-2"> …</span>}
        </>
      )}
    </p>
  );
}
