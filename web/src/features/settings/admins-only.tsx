import { Lock } from 'lucide-react';
import { Link } from 'react-router';
import { useAccount } from '../../auth/viewer.tsx';
import { PageHeader } from '../../shell/page.tsx';
import { buttonClass } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';

/** Stands for a page that the role of the viewer does not open. */
export function AdminsOnly({ title, children }: { title: string; children: string }) {
  const { viewer } = useAccount();
  return (
    <>
      <PageHeader title={title} />
      <EmptyState
        icon={Lock}
        title="Your role does not allow this"
        action={
          <Link to="/devices" className={buttonClass('plain')}>
            All devices
          </Link>
        }
      >
        An admin of {viewer.tenant.name} {children}
      </EmptyState>
    </>
  );
}
