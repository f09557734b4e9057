import { type ColumnDef, columnVisibilityFeature, tableFeatures, useTable } from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDown, ArrowUp } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { type Breakpoint, reaches, useBreakpoint } from './breakpoint.ts';
import { cx } from './class-names.ts';
import { useShortcut } from './shortcuts.ts';
import { Skeleton } from './skeleton.tsx';

const features = tableFeatures({ columnVisibilityFeature });

export type Column<Row extends object, SortField extends string = never> = {
  readonly id: string;
  readonly header: string;
  /** The header is only for those who hear the page. */
  readonly headerHidden?: true;
  /** A CSS grid track: `minmax(12rem, 2fr)`. */
  readonly track: string;
  readonly cell: (row: Row) => ReactNode;
  /** Hidden on narrower pages. */
  readonly from?: Breakpoint;
  readonly sort?: SortField;
  readonly align?: 'end';
};

export type Sort<Field extends string> = { readonly field: Field; readonly direction: 'ASC' | 'DESC' };

type DataTableProps<Row extends object, SortField extends string> = {
  label: string;
  columns: readonly Column<Row, SortField>[];
  rows: readonly Row[];
  rowId: (row: Row) => string;
  /** Pixels; on a phone `tallRowHeight`. */
  rowHeight?: number;
  tallRowHeight?: number;
  sort?: Sort<SortField>;
  onSort?: (sort: Sort<SortField>) => void;
  totalCount?: number | undefined;
  hasMore: boolean;
  loading: 'first' | 'more' | false;
  onNearEnd: () => void;
  /** Told which rows can be seen, after every change. */
  onVisible?: (rows: readonly Row[]) => void;
};

/**
 * A virtual table: only the rows in sight are in the page. The first link of a row is the row's own; the whole row
 * leads there, and `j` / `k` walk from one to the next.
 */
export function DataTable<Row extends object, SortField extends string = never>(
  props: DataTableProps<Row, SortField>,
) {
  const { label, columns, rows, rowId, hasMore, loading, onNearEnd, onVisible, sort, onSort } = props;
  const breakpoint = useBreakpoint();
  const height = breakpoint === 'base' ? (props.tallRowHeight ?? 60) : (props.rowHeight ?? 44);
  const scroller = useRef<HTMLDivElement>(null);
  const active = useRef(-1);

  const defs = useMemo(
    () =>
      columns.map(
        (column): ColumnDef<typeof features, Row> => ({
          id: column.id,
          header: column.header,
          cell: (context) => column.cell(context.row.original),
        }),
      ),
    [columns],
  );
  const columnVisibility = useMemo(
    () =>
      Object.fromEntries(columns.map((column) => [column.id, reaches(breakpoint, column.from ?? 'base')])),
    [columns, breakpoint],
  );
  const shown = columns.filter((column) => columnVisibility[column.id]);
  const template = { gridTemplateColumns: shown.map((column) => column.track).join(' ') };

  const count = rows.length + (hasMore || loading === 'more' ? 1 : 0);
  const virtual = useVirtualizer({
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 8,
    scrollPaddingStart: 36,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows of another height have to be measured again
  useEffect(() => virtual.measure(), [height, virtual]);
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? -1;
  // The table knows only the rows in sight, so that a change costs the same however long the list has grown.
  const data = useMemo(() => rows.slice(first, last + 1), [rows, first, last]);
  const table = useTable({ features, columns: defs, data, getRowId: rowId, state: { columnVisibility } });
  const tableRows = table.getRowModel().rows;

  useEffect(() => {
    if (hasMore && loading === false && last >= rows.length - 12) onNearEnd();
  }, [hasMore, loading, last, rows.length, onNearEnd]);
  useEffect(() => {
    onVisible?.(data);
  }, [onVisible, data]);

  const move = (step: number) => {
    const focused = document.activeElement?.closest('[data-index]')?.getAttribute('data-index');
    const from = focused ? Number(focused) : active.current;
    const next = Math.min(rows.length - 1, Math.max(0, from + step));
    active.current = next;
    virtual.scrollToIndex(next);
    requestAnimationFrame(() => {
      scroller.current
        ?.querySelector<HTMLElement>(`[data-index="${next}"] a`)
        ?.focus({ preventScroll: true });
    });
  };
  useShortcut('j', 'Next row', () => move(1));
  useShortcut('k', 'Previous row', () => move(-1));

  return (
    <div ref={scroller} className="relative min-h-0 flex-1 overflow-auto overscroll-contain">
      {/* biome-ignore lint/a11y/useSemanticElements: a virtual table positions its rows, which <table> cannot */}
      <div
        role="table"
        aria-label={label}
        aria-rowcount={props.totalCount ?? -1}
        aria-busy={loading === 'first'}
      >
        {/* biome-ignore lint/a11y/useSemanticElements: see above */}
        <div
          role="row"
          tabIndex={-1}
          style={template}
          className="sticky top-0 z-10 grid h-9 items-center gap-4 border-line border-b bg-canvas px-4 text-ink-3 text-xs sm:px-5"
        >
          {shown.map((column) => (
            <HeaderCell key={column.id} column={column} sort={sort} onSort={onSort} />
          ))}
        </div>
        {loading === 'first' ? (
          <SkeletonRows columns={shown.length} template={template} height={height} />
        ) : (
          // biome-ignore lint/a11y/useSemanticElements: see above
          <div role="rowgroup" style={{ height: virtual.getTotalSize() }} className="relative">
            {items.map((item) => {
              const row = tableRows[item.index - first];
              return (
                // biome-ignore lint/a11y/useSemanticElements: see above
                <div
                  key={row?.id ?? 'more'}
                  role="row"
                  tabIndex={-1}
                  aria-rowindex={item.index + 2}
                  data-index={item.index}
                  style={{ ...template, height, transform: `translateY(${item.start}px)` }}
                  className="absolute inset-x-0 top-0 grid items-center gap-4 -outline-offset-2 border-line border-b px-4 outline-accent hover:bg-hover has-[a:focus-visible]:bg-hover has-[a:focus-visible]:outline-2 sm:px-5"
                >
                  {row
                    ? row.getVisibleCells().map((cell) => (
                        // biome-ignore lint/a11y/useSemanticElements: see above
                        <div key={cell.id} role="cell" className="min-w-0 text-sm">
                          <table.FlexRender cell={cell} />
                        </div>
                      ))
                    : shown.map((column) => <Skeleton key={column.id} className="w-2/3" />)}
                </div>
              );
            })}
          </div>
        )}
      </div>
    </div>
  );
}

type HeaderCellProps<Row extends object, SortField extends string> = {
  column: Column<Row, SortField>;
  sort: Sort<SortField> | undefined;
  onSort: ((sort: Sort<SortField>) => void) | undefined;
};

function HeaderCell<Row extends object, SortField extends string>({
  column,
  sort,
  onSort,
}: HeaderCellProps<Row, SortField>) {
  const { sort: field } = column;
  const current = field !== undefined && sort?.field === field ? sort.direction : undefined;
  const ariaSort = current === 'ASC' ? 'ascending' : current === 'DESC' ? 'descending' : undefined;
  const Arrow = current === 'DESC' ? ArrowDown : ArrowUp;
  return (
    // biome-ignore lint/a11y/useSemanticElements: a virtual table positions its rows, which <table> cannot
    <div
      role="columnheader"
      tabIndex={-1}
      className={cx('min-w-0 truncate', column.align && 'text-right')}
      {...(ariaSort ? { 'aria-sort': ariaSort } : {})}
    >
      {field !== undefined && onSort ? (
        <button
          type="button"
          onClick={() => onSort({ field, direction: current === 'ASC' ? 'DESC' : 'ASC' })}
          className={cx(
            '-mx-1 inline-flex items-center gap-1 rounded-sm px-1 hover:text-ink',
            current && 'font-semibold text-ink',
          )}
        >
          {column.header}
          <Arrow
            aria-hidden="true"
            className={cx('size-3', !current && (column.align ? 'hidden' : 'opacity-0'))}
          />
        </button>
      ) : (
        <span className={column.headerHidden && 'sr-only'}>{column.header}</span>
      )}
    </div>
  );
}

type SkeletonRowsProps = { columns: number; template: { gridTemplateColumns: string }; height: number };

function SkeletonRows({ columns, template, height }: SkeletonRowsProps) {
  return Array.from({ length: 12 }, (_, row) => (
    <div
      // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
      key={row}
      style={{ ...template, height }}
      className="grid items-center gap-4 border-line border-b px-4 sm:px-5"
    >
      {Array.from({ length: columns }, (_, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <Skeleton key={column} className={(row + column) % 3 === 0 ? 'w-1/2' : 'w-3/4'} />
      ))}
    </div>
  ));
}
