import { useState } from 'react';
import { useMutation } from 'urql';
import { useAttempt } from '../../data/attempt.ts';
import { failureText } from '../../data/failures.ts';
import type { Role } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { TextField } from '../../ui/field.tsx';
import { SecondsField } from '../../ui/seconds-field.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type InvitationRow,
  invitationRevokeDocument,
  type MemberRow,
  memberInviteDocument,
  memberRemoveDocument,
  memberUpdateDocument,
} from './member-documents.ts';
import { RoleField } from './role-field.tsx';
import { roleNames } from './role-names.ts';

const lifetimes = [
  { seconds: 86_400, label: 'For 24 hours' },
  { seconds: 604_800, label: 'For 7 days' },
  { seconds: 2_592_000, label: 'For 30 days' },
];

type DialogProps = { onDone: () => void; onClose: () => void };

/** Invites somebody by e-mail address, and shows the link that lets them in. */
export function InviteMember({ onDone, onClose }: DialogProps) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState<Role>('VIEWER');
  const [lifetimeSeconds, setLifetime] = useState(604_800);
  const [problem, setProblem] = useState<string>();
  const [link, setLink] = useState<string>();
  const attempt = useAttempt();
  const [{ fetching }, invite] = useMutation(memberInviteDocument);
  const submit = async () => {
    const { clientMutationId } = attempt.at([email, role, lifetimeSeconds]);
    const { data, error } = await invite({ input: { email, role, lifetimeSeconds, clientMutationId } });
    attempt.answered(error);
    const result = data?.memberInvite;
    if (result?.__typename === 'MemberInviteSuccess') {
      setLink(result.link);
      onDone();
      return;
    }
    setProblem(failureText(result, error));
  };
  if (link !== undefined) return <HandOn email={email} link={link} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Invite somebody"
      description="Only who signs in with this e-mail address can accept."
    >
      <DialogForm
        action="Create invitation"
        busy={fetching}
        ready={email.trim() !== ''}
        problem={problem}
        onSubmit={() => void submit()}
        onCancel={onClose}
      >
        <TextField
          label="E-mail address"
          type="email"
          autoFocus
          required
          maxLength={254}
          placeholder="ada@example.com"
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <RoleField value={role} onChange={setRole} />
        <SecondsField
          label="Can be accepted"
          choices={lifetimes}
          value={lifetimeSeconds}
          onChange={setLifetime}
        />
      </DialogForm>
    </Dialog>
  );
}

function HandOn({ email, link, onClose }: { email: string; link: string; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Hand the link on"
      description={`No e-mail is sent: give it to ${email} yourself.`}
    >
      <ShownOnce />
      <Secrets>
        <Secret name="Link" value={link} testId="invitation-link" />
      </Secrets>
      <div className="mt-4 flex justify-end">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}

/** Gives a member another role. */
export function ChangeRole({ member, onDone, onClose }: DialogProps & { member: MemberRow }) {
  const [role, setRole] = useState<Role>(member.role);
  const [, update] = useMutation(memberUpdateDocument);
  const confirm = async () => {
    const { data, error } = await update({ input: { id: member.id, role } });
    const result = data?.memberUpdate;
    if (result?.__typename !== 'MemberUpdateSuccess') return failureText(result, error);
    announce(`${member.name} is ${roleNames[role]} now.`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Role of ${member.name}`}
      description={
        member.roleSource === 'PROVIDER'
          ? 'It counts at once. Until now it follows the identity provider; from then on only an admin changes it.'
          : 'It counts at once.'
      }
      action="Change role"
      look="primary"
      onConfirm={confirm}
      onClose={onClose}
    >
      <RoleField value={role} onChange={setRole} autoFocus />
    </ConfirmDialog>
  );
}

/** Puts a member out, after asking. */
export function RemoveMember({ member, onDone, onClose }: DialogProps & { member: MemberRow }) {
  const [, remove] = useMutation(memberRemoveDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: member.id } });
    const result = data?.memberRemove;
    if (result?.__typename !== 'MemberRemoveSuccess') return failureText(result, error);
    announce(`${member.name} is removed.`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Remove ${member.name}?`}
      description="They are signed out at once, and only a new invitation brings them back. API keys they made stay."
      action="Remove"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

/** Takes an invitation back, after asking. */
export function RevokeInvitation({
  invitation,
  onDone,
  onClose,
}: DialogProps & { invitation: InvitationRow }) {
  const [, revoke] = useMutation(invitationRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({ input: { id: invitation.id } });
    const result = data?.invitationRevoke;
    if (result?.__typename !== 'InvitationRevokeSuccess') return failureText(result, error);
    announce(`The invitation of ${invitation.email} is revoked.`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Revoke the invitation of ${invitation.email}?`}
      description="Its link lets nobody in any more."
      action="Revoke"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
