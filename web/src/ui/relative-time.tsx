import { useClock } from './clock.ts';
import { absoluteTime, elapsed, relativeTime } from './time.ts';

type RelativeTimeProps = {
  at: string | null | undefined;
  /** It may well lie in the future: an expiry. */
  ahead?: boolean;
  className?: string;
};

/** How long ago, kept current; the full time in the reader's zone on hover. Null reads "never". */
export function RelativeTime({ at, ahead = false, className }: RelativeTimeProps) {
  const atMs = at ? Date.parse(at) : Number.NaN;
  // A clock slightly behind the server's must not show the future.
  const text = useClock((nowMs) =>
    Number.isNaN(atMs) ? 'never' : relativeTime(ahead ? atMs : Math.min(atMs, nowMs + 999), nowMs),
  );
  if (!at) return <span className={className}>never</span>;
  return (
    <time dateTime={at} title={absoluteTime(atMs)} className={className}>
      {text}
    </time>
  );
}

/** How long something has lasted, kept current; when it began on hover. */
export function Elapsed({ since, className }: { since: string; className?: string }) {
  const sinceMs = Date.parse(since);
  const text = useClock((nowMs) => elapsed(sinceMs, nowMs));
  return (
    <time dateTime={since} title={absoluteTime(sinceMs)} className={className}>
      {text}
    </time>
  );
}
