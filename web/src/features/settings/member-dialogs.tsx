import { useRef, useState } from 'react';
import { useMutation } from 'urql';
import { describeError } from '../../data/client.ts';
import type { Role } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FormError, SelectField, TextField } from '../../ui/field.tsx';
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
  const attempt = useRef({ of: '', clientMutationId: '' });
  const [{ fetching }, invite] = useMutation(memberInviteDocument);
  const submit = async () => {
    if (fetching) return;
    // Sent again unchanged after silence, it is the same attempt: one that did arrive answers with its link.
    const of = JSON.stringify([email, role, lifetimeSeconds]);
    if (attempt.current.of !== of) attempt.current = { of, clientMutationId: crypto.randomUUID() };
    const { clientMutationId } = attempt.current;
    const { data, error } = await invite({ input: { email, role, lifetimeSeconds, clientMutationId } });
    const result = data?.memberInvite;
    if (result?.__typename === 'MemberInviteSuccess') {
      setLink(result.link);
      onDone();
      return;
    }
    if (!error?.networkError) attempt.current.of = '';
    setProblem(result?.message ?? (error ? describeError(error).message : 'Nobody was invited.'));
  };
  if (link !== undefined) return <HandOn email={email} link={link} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Invite somebody"
      description="Only who signs in with this e-mail address can accept."
    >
      <form
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
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
        <SelectField
          label="Can be accepted"
          value={lifetimeSeconds}
          onChange={(event) => setLifetime(Number(event.target.value))}
        >
          {lifetimes.map(({ seconds, label }) => (
            <option key={seconds} value={seconds}>
              {label}
            </option>
          ))}
        </SelectField>
        <FormError message={problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={fetching || email.trim() === ''}>
            Create invitation
          </Button>
        </div>
      </form>
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
    if (result?.__typename !== 'MemberUpdateSuccess')
      return result?.message ?? (error ? describeError(error).message : 'The role was not changed.');
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
    if (result?.__typename !== 'MemberRemoveSuccess')
      return result?.message ?? (error ? describeError(error).message : 'Nobody was removed.');
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
    if (result?.__typename !== 'InvitationRevokeSuccess')
      return result?.message ?? (error ? describeError(error).message : 'Nothing was taken back.');
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
