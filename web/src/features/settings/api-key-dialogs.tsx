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
import { endOf, LifetimeField } from '../../ui/lifetime.tsx';
import { SecondsField } from '../../ui/seconds-field.tsx';
import { Secret, Secrets, ShownOnce } from '../../ui/secret.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type ApiKeyRow,
  apiKeyCreateDocument,
  apiKeyRevokeDocument,
  apiKeyRotateDocument,
} from './api-key-documents.ts';
import { RoleField } from './role-field.tsx';
import { ScopesField } from './scopes-field.tsx';

const overlaps = [
  { seconds: 0, label: 'Not at all' },
  { seconds: 3_600, label: 'For an hour' },
  { seconds: 86_400, label: 'For 24 hours' },
  { seconds: 604_800, label: 'For 7 days' },
];

/** Names a new key, says what it may do, and shows its token. */
export function CreateKey({ onCreated, onClose }: { onCreated: () => void; onClose: () => void }) {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('VIEWER');
  const [scopes, setScopes] = useState<readonly string[]>();
  const [days, setDays] = useState('90');
  const [problem, setProblem] = useState<string>();
  const [token, setToken] = useState<string>();
  const attempt = useAttempt();
  const [{ fetching }, create] = useMutation(apiKeyCreateDocument);
  const submit = async () => {
    const { clientMutationId, at } = attempt.at([name, role, scopes, days]);
    const expiresAt = endOf(days, at);
    const { data, error } = await create({
      input: { name, role, scopes: scopes ? [...scopes] : null, expiresAt, clientMutationId },
    });
    attempt.answered(error);
    const result = data?.apiKeyCreate;
    if (result?.__typename === 'ApiKeyCreateSuccess') {
      setToken(result.token);
      onCreated();
      return;
    }
    setProblem(failureText(result, error));
  };
  if (token !== undefined) return <KeepToken token={token} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="New API key"
      description="A program presents it instead of signing in."
    >
      <DialogForm
        action="Create key"
        busy={fetching}
        ready={name.trim() !== '' && scopes?.length !== 0}
        problem={problem}
        onSubmit={() => void submit()}
        onCancel={onClose}
      >
        <TextField
          label="Name"
          autoFocus
          required
          maxLength={100}
          placeholder="Dashboard"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <RoleField
          value={role}
          onChange={(next) => {
            setRole(next);
            setScopes(undefined);
          }}
        />
        <ScopesField role={role} value={scopes} onChange={setScopes} />
        <LifetimeField value={days} onChange={setDays} />
      </DialogForm>
    </Dialog>
  );
}

type KeyDialogProps = { apiKey: ApiKeyRow; onClose: () => void };

/** Replaces the secret of a key and shows the new one. */
export function RotateKey({ apiKey, onClose }: KeyDialogProps) {
  const [overlap, setOverlap] = useState(86_400);
  const [problem, setProblem] = useState<string>();
  const [token, setToken] = useState<string>();
  const [{ fetching }, rotate] = useMutation(apiKeyRotateDocument);
  const submit = async () => {
    const { data, error } = await rotate({ input: { id: apiKey.id, overlapSeconds: overlap } });
    const result = data?.apiKeyRotate;
    if (result?.__typename === 'ApiKeyRotateSuccess') return setToken(result.token);
    setProblem(failureText(result, error));
  };
  if (token !== undefined) return <KeepToken token={token} onClose={onClose} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Rotate ${apiKey.name}?`}
      description="It gets a new token. A token from an earlier rotation ends now."
    >
      <DialogForm
        action="Rotate"
        busy={fetching}
        problem={problem}
        onSubmit={() => void submit()}
        onCancel={onClose}
      >
        <SecondsField
          label="Keep the current token good"
          choices={overlaps}
          value={overlap}
          onChange={setOverlap}
        />
      </DialogForm>
    </Dialog>
  );
}

/** Ends a key, after asking. */
export function RevokeKey({ apiKey, onClose }: KeyDialogProps) {
  const [, revoke] = useMutation(apiKeyRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({ input: { id: apiKey.id } });
    const result = data?.apiKeyRevoke;
    if (result?.__typename !== 'ApiKeyRevokeSuccess') return failureText(result, error);
    announce(`${apiKey.name} is revoked.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Revoke ${apiKey.name}?`}
      description="Programs that use it are refused at once, and their live streams end. This cannot be undone."
      action="Revoke"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

function KeepToken({ token, onClose }: { token: string; onClose: () => void }) {
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Keep the token">
      <ShownOnce />
      <Secrets>
        <Secret name="Token" value={token} testId="api-key-token" />
      </Secrets>
      <div className="mt-4 flex justify-end">
        <Button look="primary" onClick={onClose}>
          Done
        </Button>
      </div>
    </Dialog>
  );
}
