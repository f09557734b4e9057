import { cx } from './class-names.ts';

export type Tone = 'good' | 'warn' | 'bad' | 'idle';
export type Shape = 'disc' | 'ring' | 'triangle' | 'square' | 'dash' | 'half';

const toneText: Record<Tone, string> = {
  good: 'text-good',
  warn: 'text-warn',
  bad: 'text-bad',
  idle: 'text-idle',
};
const toneSoft: Record<Tone, string> = {
  good: 'bg-good-soft',
  warn: 'bg-warn-soft',
  bad: 'bg-bad-soft',
  idle: 'bg-idle-soft',
};

/** The mark of a state: readable without colour by its shape. */
export function StatusShape({ shape, tone, className }: { shape: Shape; tone: Tone; className?: string }) {
  return (
    <svg
      viewBox="0 0 10 10"
      aria-hidden="true"
      className={cx('size-2.5 shrink-0', toneText[tone], className)}
    >
      {shape === 'disc' && <circle cx="5" cy="5" r="4" fill="currentColor" />}
      {shape === 'ring' && (
        <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
      )}
      {shape === 'triangle' && <path d="M5 .8 9.6 9H.4Z" fill="currentColor" />}
      {shape === 'square' && <rect x="1" y="1" width="8" height="8" rx="1" fill="currentColor" />}
      {shape === 'dash' && <path d="M1.5 5h7" stroke="currentColor" strokeWidth="2" strokeLinecap="round" />}
      {shape === 'half' && (
        <>
          <circle cx="5" cy="5" r="3.25" fill="none" stroke="currentColor" strokeWidth="1.5" />
          <path d="M5 1.5a3.5 3.5 0 0 1 0 7Z" fill="currentColor" />
        </>
      )}
    </svg>
  );
}

type StatusBadgeProps = {
  shape: Shape;
  tone: Tone;
  label: string;
  axis?: string;
  soft?: boolean;
  className?: string;
};

/** A state as shape, text and colour. `axis` names what the state is of, for those who hear it. */
export function StatusBadge({ shape, tone, label, axis, soft = false, className }: StatusBadgeProps) {
  return (
    <span
      className={cx(
        'inline-flex items-center gap-1.5 whitespace-nowrap text-sm',
        soft && cx('rounded-full px-2 py-0.5', toneSoft[tone]),
        soft || tone === 'bad' || tone === 'warn' ? toneText[tone] : 'text-ink-2',
        className,
      )}
    >
      <StatusShape shape={shape} tone={tone} />
      {axis && <span className="sr-only">{axis}: </span>}
      {label}
    </span>
  );
}
