import { Eye, Lock } from 'lucide-react';
import { useState } from 'react';
import { Outlet } from 'react-router';
import { operatesPlatform, useAccount } from '../../auth/viewer.tsx';
import { PageHeader } from '../../shell/page.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { TextField } from '../../ui/field.tsx';
import { TabLinks } from '../../ui/tab-links.tsx';
import { maxReason, minReason, ReasonProvider, storedReason, storeReason } from './reason.ts';

const tabs = [
  { to: '/operator/tenants', label: 'Tenants' },
  { to: '/operator/devices', label: 'Devices' },
  { to: '/operator/streams', label: 'Streams' },
  { to: '/operator/audit', label: 'Log' },
];

/** Everything across tenants. Asks once why, says so all the time, and lets nobody in without. */
export function OperatorArea() {
  const { viewer } = useAccount();
  const [reason, setReason] = useState(storedReason);
  const keep = (next: string) => {
    storeReason(next);
    setReason(next);
  };
  if (!operatesPlatform(viewer)) {
    return (
      <>
        <PageHeader title="Platform" />
        <EmptyState icon={Lock} title="For operators of the platform">
          Your account looks after {viewer.tenant.name} only.
        </EmptyState>
      </>
    );
  }
  if (reason === '') return <AskReason onReason={keep} />;
  return (
    <>
      <PageHeader title="Platform" />
      <section
        aria-label="Why you are here"
        className="mx-4 mb-1 flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 rounded-md border border-line bg-warn-soft px-3 py-2 text-sm sm:mx-5"
      >
        <Eye aria-hidden="true" className="size-4 shrink-0 text-warn" />
        <p className="min-w-0 flex-1 break-words">
          You look across tenants, and it is noted: <strong className="font-medium">{reason}</strong>
        </p>
        <Button onClick={() => keep('')}>End</Button>
      </section>
      <TabLinks label="Platform" tabs={tabs} className="mt-2" />
      <ReasonProvider value={reason}>
        <Outlet />
      </ReasonProvider>
    </>
  );
}

function AskReason({ onReason }: { onReason: (reason: string) => void }) {
  const [draft, setDraft] = useState('');
  const reason = draft.trim();
  return (
    <>
      <PageHeader title="Platform" />
      <form
        className="flex max-w-lg flex-col gap-4 px-4 py-4 sm:px-5"
        onSubmit={(event) => {
          event.preventDefault();
          if (reason.length >= minReason) onReason(reason);
        }}
      >
        <p className="text-ink-2">
          These pages show every tenant. What you look at is written to the platform’s log with this reason,
          and to the log of a tenant whose name you open.
        </p>
        <TextField
          label="Why do you look?"
          autoFocus
          required
          minLength={minReason}
          maxLength={maxReason}
          placeholder="Ticket 4711: readings of Acme are missing"
          hint={`At least ${minReason} characters; asked once until you end it or close the tab.`}
          value={draft}
          onChange={(event) => setDraft(event.target.value)}
        />
        <div>
          <Button look="primary" type="submit" disabled={reason.length < minReason}>
            Continue
          </Button>
        </div>
      </form>
    </>
  );
}
