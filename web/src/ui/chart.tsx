import { useEffect, useEffectEvent, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import { useIsDark } from './theme.ts';

export type ChartInterval = { readonly fromMs: number; readonly toMs: number };

/** Columns for one line: times in seconds, the line, and the edges of the band around it. Null interrupts the line. */
export type ChartData = [
  at: number[],
  line: (number | null)[],
  low: (number | null)[],
  high: (number | null)[],
];

type ChartProps = {
  data: ChartData;
  range: ChartInterval;
  /** Hatched: nothing was measured. */
  gaps: readonly ChartInterval[];
  /** Draws steps instead of slopes; for what is on or off. */
  stepped?: boolean;
  height: number;
  /** What a screen reader says in place of the picture. */
  label: string;
  /** Charts with the same key share their cursor. */
  syncKey: string;
  /** Index of the point under the cursor; null when it left. */
  onHover: (index: number | null) => void;
  onZoom: (range: ChartInterval) => void;
};

type Live = { range: ChartInterval; gaps: readonly ChartInterval[] };

function readToken(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function drawGaps(plot: uPlot, gaps: readonly ChartInterval[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = readToken('--line-strong');
  ctx.globalAlpha = 0.45;
  ctx.lineWidth = uPlot.pxRatio;
  for (const gap of gaps) {
    const from = Math.max(bbox.left, plot.valToPos(gap.fromMs / 1_000, 'x', true));
    const to = Math.min(bbox.left + bbox.width, plot.valToPos(gap.toMs / 1_000, 'x', true));
    if (to - from < 2) continue;
    ctx.save();
    ctx.beginPath();
    ctx.rect(from, bbox.top, to - from, bbox.height);
    ctx.clip();
    ctx.beginPath();
    for (let x = from - bbox.height; x < to; x += 7 * uPlot.pxRatio) {
      ctx.moveTo(x, bbox.top + bbox.height);
      ctx.lineTo(x + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }
  ctx.restore();
}

type Callbacks = {
  live: () => Live;
  onHover: (index: number | null) => void;
  onZoom: (range: ChartInterval) => void;
};

function plotOptions(
  props: Pick<ChartProps, 'height' | 'stepped' | 'syncKey'>,
  width: number,
  on: Callbacks,
): uPlot.Options {
  const accent = readToken('--accent');
  const axis: uPlot.Axis = {
    stroke: readToken('--ink-3'),
    font: `11px ${getComputedStyle(document.body).fontFamily}`,
    grid: { stroke: readToken('--line'), width: 1 },
    ticks: { show: false },
  };
  const steps = props.stepped ? uPlot.paths.stepped?.({ align: 1 }) : undefined;
  return {
    width,
    height: props.height,
    padding: [8, 22, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      // The others follow the cursor; a drag belongs to the one it happens in.
      sync: { key: props.syncKey, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
      drag: { x: true, y: false, setScale: false },
      points: {
        size: (_plot, series) => (series === 1 ? 7 : 0),
        width: 2,
        stroke: accent,
        fill: readToken('--surface'),
      },
    },
    scales: {
      x: { time: true, range: () => [on.live().range.fromMs / 1_000, on.live().range.toMs / 1_000] },
      y: { range: (_plot, min, max) => (props.stepped ? [-0.15, 1.15] : padRange(min, max)) },
    },
    axes: [
      {
        ...axis,
        space: 72,
        size: 26,
        gap: 4,
        grid: { show: false },
        values: (_plot, splits, _axis, _space, step) => nameTimes(splits, step),
      },
      {
        ...axis,
        size: 46,
        gap: 6,
        space: 32,
        ...(props.stepped
          ? {
              splits: () => [0, 1],
              values: (_plot: uPlot, splits: number[]) => splits.map((v) => (v === 1 ? 'on' : 'off')),
            }
          : {}),
      },
    ],
    series: [
      {},
      { stroke: accent, width: 1.5, points: { show: false }, ...(steps ? { paths: steps } : {}) },
      { stroke: 'transparent', width: 0, points: { show: false } },
      { stroke: 'transparent', width: 0, points: { show: false } },
    ],
    bands: [{ series: [3, 2], fill: `color-mix(in oklch, ${accent} 16%, transparent)` }],
    hooks: {
      drawAxes: [(plot) => drawGaps(plot, on.live().gaps)],
      setCursor: [(plot) => on.onHover(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (plot.select.width < 6) return;
          const fromMs = plot.posToVal(plot.select.left, 'x') * 1_000;
          const toMs = plot.posToVal(plot.select.left + plot.select.width, 'x') * 1_000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          on.onZoom({ fromMs, toMs });
        },
      ],
    },
  };
}

const withSeconds = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const withMinutes = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const withDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Axis labels as fine as the steps between them; midnight shows its day. Seconds in, seconds apart. */
function nameTimes(splits: readonly number[], step: number): string[] {
  return splits.map((at) => {
    const date = new Date(at * 1_000);
    if (step >= 86_400 || (step >= 3_600 && date.getHours() === 0 && date.getMinutes() === 0))
      return withDay.format(date);
    return (step < 60 ? withSeconds : withMinutes).format(date);
  });
}

/** Some air above and below, and a sensible scale for a value that never changes. */
function padRange(min: number | null, max: number | null): uPlot.Range.MinMax {
  if (min === null || max === null) return [0, 1];
  const pad = max > min ? (max - min) * 0.12 : Math.max(Math.abs(max) * 0.05, 0.5);
  return [min - pad, max + pad];
}

/** One line over time with its band, drawn by uPlot. Drag to zoom. */
export function Chart(props: ChartProps) {
  const { data, range, gaps, stepped = false, height, label, syncKey } = props;
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const live = useRef<Live>({ range, gaps });
  const dark = useIsDark();
  const onHover = useEffectEvent(props.onHover);
  const onZoom = useEffectEvent(props.onZoom);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a theme change repaints with other colours
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const callbacks: Callbacks = {
      live: () => live.current,
      onHover: (index) => onHover(index),
      onZoom: (next) => onZoom(next),
    };
    const created = new uPlot(
      plotOptions({ height, stepped, syncKey }, element.clientWidth, callbacks),
      [[], [], [], []],
      element,
    );
    plot.current = created;
    const observer = new ResizeObserver(() => created.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      created.destroy();
      plot.current = undefined;
    };
  }, [height, stepped, syncKey, dark]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new plot needs the data again
  useEffect(() => {
    live.current = { range, gaps };
    plot.current?.setData(data);
  }, [data, range, gaps, height, stepped, syncKey, dark]);

  return <div ref={host} role="img" aria-label={label} className="w-full min-w-0" style={{ height }} />;
}
