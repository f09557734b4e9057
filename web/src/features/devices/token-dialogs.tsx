import { useState } from 'react';
import { useMutation } from 'urql';
import { useAttempt } from '../../data/attempt.ts';
import { failureText } from '../../data/failures.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { TextField } from '../../ui/field.tsx';
import { endOf, LifetimeField } from '../../ui/lifetime.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { announce } from '../../ui/toast.tsx';
import type { DeviceCredential, DeviceDetail } from './device-detail.ts';
import { deviceTokenIssueDocument, deviceTokenRevokeDocument } from './device-token.ts';

/** Gives a device one more token and shows it. */
export function IssueToken({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const [days, setDays] = useState('');
  const [problem, setProblem] = useState<string>();
  const [token, setToken] = useState<{ readonly username: string; readonly secret: string }>();
  const attempt = useAttempt();
  const [{ fetching }, issue] = useMutation(deviceTokenIssueDocument);
  const submit = async () => {
    const { clientMutationId, at } = attempt.at(days);
    const expiresAt = endOf(days, at);
    const { data, error } = await issue({ input: { deviceId: device.id, expiresAt, clientMutationId } });
    attempt.answered(error);
    const result = data?.deviceTokenIssue;
    if (result?.__typename === 'DeviceTokenIssueSuccess') return setToken(result.token);
    setProblem(failureText(result, error));
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
        <DialogForm
          action="Issue token"
          busy={fetching}
          problem={problem}
          onSubmit={() => void submit()}
          onCancel={onClose}
        >
          <LifetimeField value={days} onChange={setDays} />
        </DialogForm>
      )}
    </Dialog>
  );
}

/** Ends a token, after asking. */
export function RevokeToken({ credential, onClose }: { credential: DeviceCredential; onClose: () => void }) {
  const [reason, setReason] = useState('');
  const [, revoke] = useMutation(deviceTokenRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({
      input: { id: credential.id, reason: reason.trim() === '' ? null : reason },
    });
    const result = data?.deviceTokenRevoke;
    if (result?.__typename !== 'DeviceTokenRevokeSuccess') return failureText(result, error);
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
