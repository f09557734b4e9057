import { useState } from 'react';
import type { CombinedError } from 'urql';
import { useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type TenantRow,
  tenantCreateDocument,
  tenantDeleteCancelDocument,
  tenantDeleteDocument,
  tenantResumeDocument,
  tenantSuspendDocument,
} from './documents.ts';
import { useReason } from './reason.ts';

export type Step = 'suspend' | 'resume' | 'delete' | 'cancel';

type DialogProps = { onDone: () => void; onClose: () => void };

type Answer = {
  data?: { result: { __typename: string; message?: string } } | undefined;
  error?: CombinedError | undefined;
};

/** What went wrong, or undefined. */
function problemOf({ data, error }: Answer): string | undefined {
  if (data?.result.__typename.endsWith('Success')) return undefined;
  return data?.result.message ?? failureText(undefined, error);
}

/** Names a new tenant. */
export function CreateTenant({ onDone, onClose }: DialogProps) {
  const { direct } = useAccount();
  const reason = useReason();
  const [slug, setSlug] = useState('');
  const [name, setName] = useState('');
  const confirm = async () => {
    const input = { slug: slug.trim(), name: name.trim(), reason };
    const problem = problemOf(await direct.mutation(tenantCreateDocument, { input }).toPromise());
    if (problem !== undefined) return problem;
    announce(`${input.name} is there.`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title="New tenant"
      description="Its people come in with a token that names it."
      action="Create tenant"
      look="primary"
      onConfirm={confirm}
      onClose={onClose}
    >
      <TextField
        label="Name"
        autoFocus
        required
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <TextField
        label="Slug"
        mono
        required
        maxLength={63}
        pattern="[a-z0-9][a-z0-9\-]*"
        title="a-z, 0-9 and -, beginning with a letter or digit"
        hint="Stands in topics and tokens, for ever: a-z, 0-9 and -."
        value={slug}
        onChange={(event) => setSlug(event.target.value)}
      />
    </ConfirmDialog>
  );
}

const texts: Readonly<
  Record<
    Step,
    { title: string; description: string; action: string; done: string; look: 'danger' | 'primary' }
  >
> = {
  suspend: {
    title: 'Suspend',
    description: 'Its devices are disconnected and its people sent away at once. Its data is kept.',
    action: 'Suspend',
    done: 'is suspended.',
    look: 'danger',
  },
  resume: {
    title: 'Resume',
    description: 'Its devices and people are let in again.',
    action: 'Resume',
    done: 'is let in again.',
    look: 'primary',
  },
  delete: {
    title: 'Delete',
    description:
      'It is suspended now. When the delay is over, everything it has is deleted for good: devices, readings, people, files.',
    action: 'Delete',
    done: 'will be deleted.',
    look: 'danger',
  },
  cancel: {
    title: 'Keep',
    description: 'The deletion is called off; the tenant is again what it was before.',
    action: 'Keep it',
    done: 'stays.',
    look: 'primary',
  },
};

/** One step in the life of a tenant, after asking; a deletion wants the name typed. */
export function StepDialog({
  step,
  tenant,
  onDone,
  onClose,
}: DialogProps & { step: Step; tenant: TenantRow }) {
  const { direct } = useAccount();
  const reason = useReason();
  const [typed, setTyped] = useState('');
  const { title, description, action, done, look } = texts[step];
  const send = async (): Promise<Answer> => {
    const variables = { input: { slug: tenant.slug, reason } };
    if (step === 'suspend') return direct.mutation(tenantSuspendDocument, variables).toPromise();
    if (step === 'resume') return direct.mutation(tenantResumeDocument, variables).toPromise();
    if (step === 'delete') return direct.mutation(tenantDeleteDocument, variables).toPromise();
    return direct.mutation(tenantDeleteCancelDocument, variables).toPromise();
  };
  const confirm = async () => {
    if (step === 'delete' && typed !== tenant.slug) return `Type ${tenant.slug} to delete it.`;
    const problem = problemOf(await send());
    if (problem !== undefined) return problem;
    announce(`${tenant.name} ${done}`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`${title} ${tenant.name}?`}
      description={description}
      action={action}
      look={look}
      onConfirm={confirm}
      onClose={onClose}
    >
      {step === 'delete' && (
        <TextField
          label={`Type ${tenant.slug} to confirm`}
          mono
          autoFocus
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      )}
    </ConfirmDialog>
  );
}
