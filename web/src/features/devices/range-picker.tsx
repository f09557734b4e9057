import { X } from 'lucide-react';
import { Button } from '../../ui/button.tsx';
import { cx } from '../../ui/class-names.ts';
import { absoluteTime } from '../../ui/time.ts';
import { spans, type TimeRange } from './time-range.ts';

type RangePickerProps = { range: TimeRange; onChange: (range: TimeRange) => void };

/** Chooses how much time the charts show; a zoomed range can be left again. */
export function RangePicker({ range, onChange }: RangePickerProps) {
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2">
      <fieldset className="flex min-w-0 overflow-x-auto rounded-md border border-line bg-surface p-0.5 shadow-1">
        <legend className="sr-only">Time range</legend>
        {spans.map((span) => {
          const active = range.kind === 'live' && range.span === span;
          return (
            <button
              key={span.key}
              type="button"
              aria-pressed={active}
              onClick={() => onChange({ kind: 'live', span })}
              className={cx(
                'h-6.5 shrink-0 whitespace-nowrap rounded-sm px-2 text-sm',
                active ? 'bg-accent-soft font-semibold text-accent' : 'text-ink-2 hover:bg-hover',
              )}
            >
              {span.label}
            </button>
          );
        })}
      </fieldset>
      {range.kind === 'fixed' && (
        <span className="flex min-w-0 items-center gap-1 text-ink-2 text-sm">
          <span className="truncate">
            {absoluteTime(range.fromMs)} – {absoluteTime(range.toMs)}
          </span>
          <Button
            look="quiet"
            icon
            aria-label="Back to live"
            onClick={() => onChange({ kind: 'live', span: spans[1] })}
          >
            <X aria-hidden="true" className="size-3.5" />
          </Button>
        </span>
      )}
    </div>
  );
}
