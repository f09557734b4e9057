import { all, sql } from '#api/database/sql.ts';
import type { Operation } from '#api/graphql/context.ts';
import { defineLoader } from '#api/graphql/loaders.ts';
import { type Keyset, type Page, type PageArgs, planPage } from '#api/graphql/paging.ts';
import type { TemplateCategory, TemplateDefinition } from '#core/fleet/templates.ts';

export interface TemplateRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly category: TemplateCategory;
  /** Whether it comes with the platform. */
  readonly isSystem: boolean;
  /** The newest. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface VersionRow {
  readonly templateId: number;
  readonly version: number;
  readonly createdAt: Date;
  /** As the audit log names actors; `platform` for what came with it. */
  readonly createdBy: string;
}

export interface TemplateFilter {
  readonly search?: string | null | undefined;
  readonly categories?: readonly TemplateCategory[] | null | undefined;
  readonly source?: 'SYSTEM' | 'OWN' | null | undefined;
}

const COLUMNS = sql`t.id, t.key, t.name, t.description, t.category, t.tenant_id is null as "isSystem", t.version,
  t.created_at as "createdAt", t.updated_at as "updatedAt"`;
const VERSION_COLUMNS = sql`v.template_id as "templateId", v.version, v.created_at as "createdAt", v.created_by as "createdBy"`;
const BY_KEY: Keyset = {
  name: 'templates/key',
  columns: [
    { expression: sql`t.key`, type: 'text' },
    { expression: sql`t.id`, type: 'int' },
  ],
  descending: false,
};

/** The tenant's own or the platform's; undefined where there is none. */
export const loadTemplate = defineLoader<number, TemplateRow | undefined>(
  async (operation, ids) => {
    const rows = await operation.read.rows<TemplateRow>(
      sql`select ${COLUMNS} from device_templates t where t.id = any(${ids}::int[])`,
    );
    return new Map(rows.map((row) => [row.id, row]));
  },
  () => undefined,
);

/** The tenant's own before the platform's, should both have the key. */
export async function readTemplateByKey(operation: Operation, key: string): Promise<TemplateRow | undefined> {
  const [row] = await operation.read.rows<TemplateRow>(
    sql`select ${COLUMNS} from device_templates t where t.key = ${key} order by t.tenant_id nulls last limit 1`,
  );
  return row;
}

/** In the order of their keys. */
export async function readTemplates(
  operation: Operation,
  args: PageArgs,
  filter: TemplateFilter,
): Promise<Page<TemplateRow>> {
  const page = planPage(args, BY_KEY);
  const rows = await operation.read.rows<TemplateRow>(
    sql`select ${COLUMNS} from device_templates t where ${conditions(filter)} and ${page.condition}
        order by ${page.orderBy} limit ${page.limit}`,
  );
  return page.toPage(rows, ({ key, id }) => [key, String(id)]);
}

export async function countTemplates(operation: Operation, filter: TemplateFilter): Promise<number> {
  const [row] = await operation.read.rows<{ count: number }>(
    sql`select count(*)::int as count from device_templates t where ${conditions(filter)}`,
  );
  return row?.count ?? 0;
}

function conditions({ search, categories, source }: TemplateFilter) {
  return all([
    ...(search ? [sql`(t.key || ' ' || t.name || ' ' || t.description) ilike ${containing(search)}`] : []),
    ...(categories ? [sql`t.category = any(${categories}::template_category[])`] : []),
    ...(source === 'SYSTEM' ? [sql`t.tenant_id is null`] : []),
    ...(source === 'OWN' ? [sql`t.tenant_id is not null`] : []),
  ]);
}

const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/** Names one version of one template. */
export const versionKey = (templateId: number, version: number): string => `${templateId}/${version}`;

const numbersOf = (keys: readonly string[]): readonly (readonly number[])[] =>
  keys.map((key) => key.split('/').map(Number));
const column = (rows: readonly (readonly number[])[], index: number): number[] =>
  rows.map((row) => row[index] ?? 0);

/** By `versionKey`; undefined where there is no such version. */
export const loadDefinition = defineLoader<string, TemplateDefinition | undefined>(
  async (operation, keys) => {
    const wanted = numbersOf(keys);
    const rows = await operation.read.rows<{
      templateId: number;
      version: number;
      definition: TemplateDefinition;
    }>(
      sql`select v.template_id as "templateId", v.version, v.definition
          from unnest(${column(wanted, 0)}::int[], ${column(wanted, 1)}::int[]) as w (id, version)
          join template_versions v on v.template_id = w.id and v.version = w.version`,
    );
    return new Map(rows.map((row) => [versionKey(row.templateId, row.version), row.definition]));
  },
  () => undefined,
);

/** Newest first, by `{template}/{older than}/{how many}`. */
export const loadVersions = defineLoader<string, readonly VersionRow[]>(
  async (operation, keys) => {
    const wanted = numbersOf(keys);
    const rows = await operation.read.rows<VersionRow & { index: number }>(
      sql`select w.index::int as index, ${VERSION_COLUMNS}
          from unnest(${column(wanted, 0)}::int[], ${column(wanted, 1)}::int[], ${column(wanted, 2)}::int[])
            with ordinality as w (id, before, count, index)
          cross join lateral (select * from template_versions v where v.template_id = w.id and v.version < w.before
            order by v.version desc limit w.count) v
          order by w.index, v.version desc`,
    );
    const lists = keys.map((key, index) => [key, rows.filter((row) => row.index === index + 1)] as const);
    return new Map(lists);
  },
  () => [],
);

/** What is made of a version: devices that are not decommissioned, and modules that are installed. */
export interface Usage {
  readonly version: number;
  readonly devices: number;
  readonly modules: number;
}

/** By template; versions that nothing is made of are left out. */
export const loadUsage = defineLoader<number, readonly Usage[]>(
  async (operation, ids) => {
    const rows = await operation.read.rows<Usage & { id: number }>(
      sql`select id, version, sum(devices)::int as devices, sum(modules)::int as modules from (
            select template_id as id, template_version as version, count(*) as devices, 0 as modules from devices
            where template_id = any(${ids}::int[]) and status <> 'DECOMMISSIONED' group by 1, 2
            union all
            select template_id, template_version, 0, count(*) from device_modules
            where template_id = any(${ids}::int[]) and removed_at is null group by 1, 2) parts
          group by id, version`,
    );
    return new Map(ids.map((id) => [id, rows.filter((row) => row.id === id)]));
  },
  () => [],
);
