import { TriangleAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import { CopyButton } from './copy-button.tsx';

/** Says that what follows can be read this once. */
export function ShownOnce() {
  return (
    <p className="mb-3 flex items-start gap-2 text-sm">
      <TriangleAlert aria-hidden="true" className="mt-0.5 size-4 shrink-0 text-warn" />
      It is shown this once and stored nowhere in the clear. If it is lost, it has to be replaced.
    </p>
  );
}

/** A frame around secrets. */
export function Secrets({ children }: { children: ReactNode }) {
  return <dl className="divide-y divide-line rounded-md border border-line">{children}</dl>;
}

/** One value to note, with a button that copies it. */
export function Secret({ name, value, testId }: { name: string; value: string; testId?: string }) {
  return (
    <div className="flex items-center gap-3 py-1 pr-1 pl-3">
      <dt className="w-20 shrink-0 text-ink-3 text-sm">{name}</dt>
      <dd className="flex min-w-0 flex-1 items-center justify-between gap-2">
        <span className="min-w-0 break-all font-mono text-sm" {...(testId ? { 'data-testid': testId } : {})}>
          {value}
        </span>
        <CopyButton text={value} label={`Copy ${name.toLowerCase()}`} />
      </dd>
    </div>
  );
}
