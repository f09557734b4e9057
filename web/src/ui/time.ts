const units = [
  { unit: 'day', ms: 86_400_000, short: 'd' },
  { unit: 'hour', ms: 3_600_000, short: 'h' },
  { unit: 'minute', ms: 60_000, short: 'min' },
  { unit: 'second', ms: 1_000, short: 's' },
] as const;

const absolute = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const clockFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });

/** "just now", "12 s ago", "5 min ago", "3 h ago", "2 d ago"; a plain date from 30 days on. Future times read "in …". */
export function relativeTime(atMs: number, nowMs: number): string {
  const distance = Math.abs(nowMs - atMs);
  if (distance < 2_000) return 'just now';
  if (distance >= 30 * 86_400_000) return dayFormat.format(atMs);
  const step = units.find(({ ms }) => distance >= ms) ?? units[3];
  const text = `${Math.floor(distance / step.ms)} ${step.short}`;
  return nowMs >= atMs ? `${text} ago` : `in ${text}`;
}

/** How long it has been: "moments", "12 s", "5 min", "3 h", "2 d". */
export function elapsed(sinceMs: number, nowMs: number): string {
  const ms = nowMs - sinceMs;
  const step = units.find((unit) => ms >= unit.ms);
  return step && ms >= 2_000 ? `${Math.floor(ms / step.ms)} ${step.short}` : 'moments';
}

/** Date and time to the second, in the reader's zone. */
export function absoluteTime(atMs: number): string {
  return absolute.format(atMs);
}

/** Time of day to the second, in the reader's zone. */
export function clockTime(atMs: number): string {
  return clockFormat.format(atMs);
}

/** A length of time in its two largest units: "45 s", "1 h 30 min", "7 d". */
export function duration(totalMs: number): string {
  let rest = Math.max(0, Math.round(totalMs / 1_000) * 1_000);
  const parts: string[] = [];
  for (const { ms, short } of units) {
    const count = Math.floor(rest / ms);
    if (count === 0) continue;
    parts.push(`${count} ${short}`);
    rest -= count * ms;
  }
  return parts.slice(0, 2).join(' ') || '0 s';
}
