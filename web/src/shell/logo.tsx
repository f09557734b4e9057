/** The mark: three devices, connected. */
export function Logo() {
  return (
    <svg viewBox="0 0 24 24" aria-hidden="true" className="size-6 text-accent">
      <rect width="24" height="24" rx="6" fill="currentColor" />
      <g stroke="var(--on-accent)" strokeWidth="1.5" strokeLinecap="round">
        <path d="M7.5 16.5 12 7.5l5 6.8" fill="none" />
      </g>
      <g fill="var(--on-accent)">
        <circle cx="7.5" cy="16.5" r="2.2" />
        <circle cx="12" cy="7.5" r="2.2" />
        <circle cx="17" cy="14.3" r="2.2" />
      </g>
    </svg>
  );
}
