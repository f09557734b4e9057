import { SearchX } from 'lucide-react';
import type { ReactNode } from 'react';
import { Link } from 'react-router';
import { buttonClass } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';

interface NoSuchProps {
  /** What was looked for, in the singular: `device`. */
  readonly what: string;
  /** Where all of them are. */
  readonly list: string;
  /** The sentence that says so. */
  readonly children: ReactNode;
}

/** In place of a page about something that is not there. */
export function NoSuch({ what, list, children }: NoSuchProps) {
  return (
    <EmptyState
      page
      icon={SearchX}
      title={`No such ${what}`}
      action={
        <Link to={list} className={buttonClass('plain')}>
          All {what}s
        </Link>
      }
    >
      {children}
    </EmptyState>
  );
}
