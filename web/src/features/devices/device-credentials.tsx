import { KeyRound, Plus } from 'lucide-react';
import { useRef, useState } from 'react';
import { useMutation } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { describeError } from '../../data/client.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError, TextField } from '../../ui/field.tsx';
import { endOf, LifetimeField } from '../../ui/lifetime.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { announce } from '../../ui/toast.tsx';
import type { DeviceDetail } from './device-detail.ts';
import { deviceTokenIssueDocument, deviceTokenRevokeDocument } from './device-token.ts';
import { credentialState } from './presence.ts';

type DeviceCredential = DeviceDetail['credentials'][number];

const expiringMs = 14 * 86_400_000;
const kinds = { TOKEN: 'Token', CERTIFICATE: 'Certificate' } as const;

/** What the device connects with; who may write devices issues and revokes tokens here. */
export function DeviceCredentials({ device }: { device: DeviceDetail }) {
  const { viewer } = useAccount();
  const [open, setOpen] = useState<'issue' | DeviceCredential>();
  const mayWrite = mayWriteDevices(viewer.role);
  return (
    <>
      <div className="flex items-center justify-between gap-2 border-line border-b py-1.5 pr-2 pl-3.5">
        <h2 className="font-semibold">Credentials</h2>
        {mayWrite && device.status !== 'DECOMMISSIONED' && (
          <Button onClick={() => setOpen('issue')}>
            <Plus aria-hidden="true" className="size-3.5" />
            Issue token
          </Button>
        )}
      </div>
      {device.credentials.length === 0 ? (
        <EmptyState icon={KeyRound} title="No credentials">
          This device cannot connect.
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line">
          {device.credentials.map((credential) => (
            <Credential
              key={credential.id}
              credential={credential}
              onRevoke={
                mayWrite && credential.kind === 'TOKEN' && !credential.revokedAt
                  ? () => setOpen(credential)
                  : undefined
              }
            />
          ))}
        </ul>
      )}
      {open === 'issue' && <IssueToken device={device} onClose={() => setOpen(undefined)} />}
      {open !== undefined && open !== 'issue' && (
        <RevokeToken credential={open} onClose={() => setOpen(undefined)} />
      )}
    </>
  );
}

function stateOf(credential: DeviceCredential) {
  if (credential.revokedAt) return credentialState.REVOKED;
  const remainingMs = credential.expiresAt
    ? Date.parse(credential.expiresAt) - Date.now()
    : Number.POSITIVE_INFINITY;
  if (remainingMs <= 0) return { ...credentialState.REVOKED, label: 'Expired' };
  return remainingMs < expiringMs ? credentialState.EXPIRING : credentialState.ACTIVE;
}

type CredentialProps = { credential: DeviceCredential; onRevoke: (() => void) | undefined };

function Credential({ credential, onRevoke }: CredentialProps) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3.5 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          {kinds[credential.kind]}{' '}
          <span className="font-mono font-normal text-ink-2 text-sm">{credential.hint}</span>
        </p>
        <p className="text-ink-3 text-sm">
          created <RelativeTime at={credential.createdAt} />, last used{' '}
          <RelativeTime at={credential.lastUsedAt} />
          {credential.expiresAt && (
            <>
              , expires <RelativeTime at={credential.expiresAt} ahead />
            </>
          )}
        </p>
      </div>
      <StatusBadge {...stateOf(credential)} />
      {onRevoke && (
        <Button look="danger" aria-label={`Revoke token ${credential.hint}`} onClick={onRevoke}>
          Revoke
        </Button>
      )}
    </li>
  );
}

function IssueToken({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const [days, setDays] = useState('');
  const [problem, setProblem] = useState<string>();
  const [token, setToken] = useState<{ readonly username: string; readonly secret: string }>();
  const attempt = useRef({ of: 'none', clientMutationId: '', expiresAt: endOf('', 0) });
  const [{ fetching }, issue] = useMutation(deviceTokenIssueDocument);
  const submit = async () => {
    if (fetching) return;
    // Sent again unchanged after silence, it is the same attempt: one that did arrive answers, and no second token is made.
    if (attempt.current.of !== days)
      attempt.current = {
        of: days,
        clientMutationId: crypto.randomUUID(),
        expiresAt: endOf(days, Date.now()),
      };
    const { clientMutationId, expiresAt } = attempt.current;
    const { data, error } = await issue({ input: { deviceId: device.id, expiresAt, clientMutationId } });
    if (!error?.networkError) attempt.current.of = 'none';
    const result = data?.deviceTokenIssue;
    if (result?.__typename === 'DeviceTokenIssueSuccess') return setToken(result.token);
    setProblem(result?.message ?? (error ? describeError(error).message : 'No token was issued.'));
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={token ? 'Keep the token' : `Issue a token to ${device.name}`}
      description={
        token
          ? undefined
          : 'The tokens it has stay good. To rotate: issue one, move the device over, revoke the old one.'
      }
    >
      {token ? (
        <>
          <ShownOnce />
          <Secrets>
            <Secret name="User name" value={token.username} />
            <Secret name="Token" value={token.secret} testId="issued-token" />
          </Secrets>
          <div className="mt-4 flex justify-end">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </>
      ) : (
        <form
          className="flex flex-col gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            void submit();
          }}
        >
          <LifetimeField value={days} onChange={setDays} />
          <FormError message={problem} />
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button look="primary" type="submit" disabled={fetching}>
              Issue token
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

function RevokeToken({ credential, onClose }: { credential: DeviceCredential; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [, revoke] = useMutation(deviceTokenRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({
      input: { id: credential.id, reason: reason.trim() === '' ? null : reason },
    });
    const result = data?.deviceTokenRevoke;
    if (result?.__typename !== 'DeviceTokenRevokeSuccess')
      return result?.message ?? (error ? describeError(error).message : 'The token was not revoked.');
    announce(`Token ${credential.hint} is revoked.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Revoke token ${credential.hint}?`}
      description="A connection that began with it is closed at once. This cannot be undone."
      action="Revoke"
      onConfirm={confirm}
      onClose={onClose}
    >
      <TextField
        label="Reason"
        optional
        maxLength={500}
        hint="Kept in the audit log."
        value={reason}
        onChange={(event) => setReason(event.target.value)}
      />
    </ConfirmDialog>
  );
}
