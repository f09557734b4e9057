import { FileUp, LayoutTemplate, Lock, Plus } from 'lucide-react';
import { useMemo, useState } from 'react';
import { Link } from 'react-router';
import { useClient } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import type { TemplateCategory, TemplateSourceFilter } from '../../generated/graphql.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { type Column, DataTable } from '../../ui/data-table.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { FilterMenu } from '../../ui/filter-menu.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { readChoices, type UrlCodec, useUrlState } from '../../ui/url-state.ts';
import { ImportTemplate } from './template-dialogs.tsx';
import { type TemplateRow, templateListDocument } from './template-documents.ts';
import { categoryNames, templatePath } from './template-names.ts';

const pageSize = 50;
const categories = Object.keys(categoryNames) as TemplateCategory[];
const sources = ['OWN', 'SYSTEM'] as const satisfies readonly TemplateSourceFilter[];
const sourceNames = { OWN: 'Your own', SYSTEM: 'From the platform' } as const;

type View = {
  readonly search: string;
  readonly categories: readonly TemplateCategory[];
  readonly sources: readonly TemplateSourceFilter[];
};

const everything: View = { search: '', categories: [], sources: [] };

/** `?q=meter&category=sensor&source=own` */
const viewCodec: UrlCodec<View> = {
  parse: (params) => ({
    search: (params.get('q') ?? '').trim(),
    categories: readChoices(params, 'category', categories),
    sources: readChoices(params, 'source', sources),
  }),
  format(view) {
    const params = new URLSearchParams();
    if (view.search !== '') params.set('q', view.search);
    if (view.categories.length > 0) params.set('category', view.categories.join(',').toLowerCase());
    if (view.sources.length > 0) params.set('source', view.sources.join(',').toLowerCase());
    return params;
  },
};

/** What devices can be: the platform's templates and the tenant's own. */
export function Templates() {
  const client = useClient();
  const { viewer } = useAccount();
  const mayWrite = mayWriteDevices(viewer.role);
  const [view, setView] = useUrlState(viewCodec);
  const [importing, setImporting] = useState(false);
  const key = viewCodec.format(view).toString();
  const pager = useMemo(() => {
    const { search, categories: wanted, sources: from } = viewCodec.parse(new URLSearchParams(key));
    const [source] = from;
    const where = {
      ...(search !== '' && { search }),
      ...(wanted.length > 0 && { categories: [...wanted] }),
      ...(from.length === 1 && source && { source }),
    };
    return createPager({
      client,
      document: templateListDocument,
      variables: (after) => ({ first: pageSize, after, where }),
      read: ({ templates }) => ({
        ...templates.pageInfo,
        nodes: templates.nodes,
        totalCount: templates.totalCount,
      }),
    });
  }, [client, key]);
  const { nodes, totalCount, hasMore, loading, error } = usePager(pager);
  return (
    <>
      <PageHeader
        title="Templates"
        actions={
          mayWrite && (
            <>
              <Button onClick={() => setImporting(true)}>
                <FileUp aria-hidden="true" className="size-4" />
                Import
              </Button>
              <Link to="/new-template" className={buttonClass('primary')}>
                <Plus aria-hidden="true" className="size-4" />
                New template
              </Link>
            </>
          )
        }
      />
      <div className="flex shrink-0 flex-wrap items-center gap-2 border-line border-b px-4 pb-3 sm:px-5">
        <SearchField
          value={view.search}
          onChange={(search) => setView({ ...view, search })}
          label="Name, key or description"
        />
        <FilterMenu
          label="Category"
          options={categories.map((value) => ({ value, label: categoryNames[value] }))}
          value={view.categories}
          onChange={(value) => setView({ ...view, categories: value })}
        />
        <FilterMenu
          label="Source"
          options={sources.map((value) => ({ value, label: sourceNames[value] }))}
          value={view.sources}
          onChange={(value) => setView({ ...view, sources: value })}
        />
      </div>
      {error && nodes.length === 0 ? (
        <ErrorPanel error={error} onRetry={pager.reload} />
      ) : loading === false && nodes.length === 0 ? (
        <EmptyState
          icon={LayoutTemplate}
          title="No template matches"
          action={<Button onClick={() => setView(everything)}>Clear filters</Button>}
        >
          A template says what a kind of device measures, obeys and holds.
        </EmptyState>
      ) : (
        <DataTable
          label="Templates"
          columns={columns}
          rows={nodes}
          rowId={(template) => template.id}
          rowHeight={52}
          totalCount={totalCount}
          hasMore={hasMore}
          loading={loading}
          onNearEnd={pager.loadMore}
        />
      )}
      {importing && <ImportTemplate onClose={() => setImporting(false)} />}
    </>
  );
}

const columns: readonly Column<TemplateRow>[] = [
  {
    id: 'name',
    header: 'Name',
    track: 'minmax(9rem, 2fr)',
    cell: (template) => (
      <>
        <Link to={templatePath(template.key)} className="block truncate font-medium hover:underline">
          {template.name}
        </Link>
        <span className="block truncate font-mono text-ink-3 text-xs">{template.key}</span>
      </>
    ),
  },
  {
    id: 'description',
    header: 'Description',
    track: 'minmax(10rem, 3fr)',
    from: 'lg',
    cell: (template) => <span className="block truncate text-ink-2">{template.description || '–'}</span>,
  },
  {
    id: 'category',
    header: 'Category',
    track: '9rem',
    from: 'sm',
    cell: (template) => categoryNames[template.category],
  },
  {
    id: 'source',
    header: 'Source',
    track: '7rem',
    from: 'sm',
    cell: (template) =>
      template.source === 'SYSTEM' ? (
        <span className="inline-flex items-center gap-1.5 text-ink-2">
          <Lock aria-hidden="true" className="size-3.5" />
          Platform
        </span>
      ) : (
        `Version ${template.version}`
      ),
  },
  {
    id: 'metrics',
    header: 'Metrics',
    track: '4.5rem',
    from: 'lg',
    cell: (template) => template.metrics.length,
  },
  {
    id: 'uses',
    header: 'In use',
    track: '5rem',
    cell: (template) => {
      const uses = template.deviceCount + template.moduleCount;
      return uses === 0 ? <span className="text-ink-3">0</span> : uses.toLocaleString();
    },
  },
];
