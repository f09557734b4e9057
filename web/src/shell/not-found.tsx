import { Compass } from 'lucide-react';
import { Link } from 'react-router';
import { buttonClass } from '../ui/button.tsx';
import { EmptyState } from '../ui/empty-state.tsx';
import { usePageTitle } from './page.tsx';

export function NotFound() {
  usePageTitle('Not found');
  return (
    <EmptyState
      page
      icon={Compass}
      title="There is no such page"
      action={
        <Link to="/devices" className={buttonClass('plain')}>
          All devices
        </Link>
      }
    >
      The address may be mistyped, or the page is gone.
    </EmptyState>
  );
}
