import { ChevronDown, KeyRound, Plus } from 'lucide-react';
import { useState } from 'react';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { Button } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { Menu, MenuItem } from '../../ui/menu.tsx';
import { RelativeTime } from '../../ui/relative-time.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { CertificateDialog, RevokeCertificate } from './certificate-dialogs.tsx';
import { ClaimCodeDialog, RevokeClaimCode } from './claim-code-dialogs.tsx';
import { type ClaimCode, type DeviceCredential, type DeviceDetail, useDevice } from './device-detail.ts';
import { credentialState } from './presence.ts';
import { IssueToken, RevokeToken } from './token-dialogs.tsx';

const expiringMs = 30 * 86_400_000;
const kinds = { TOKEN: 'Token', CERTIFICATE: 'Certificate' } as const;

type Open =
  | { readonly what: 'token' | 'claim' | 'generate' | 'request' }
  | { readonly what: 'renew' | 'revoke'; readonly credential: DeviceCredential }
  | { readonly what: 'revoke-code'; readonly code: ClaimCode };

/** What the device connects with; who may write devices makes, renews and revokes it here. */
export function DeviceCredentials() {
  const device = useDevice();
  const { viewer } = useAccount();
  const [open, setOpen] = useState<Open>();
  const mayWrite = mayWriteDevices(viewer.role);
  const close = () => setOpen(undefined);
  const codes = device.claimCodes.filter(({ state }) => state === 'OPEN');
  return (
    <div className="p-4 sm:p-5">
      <section className="min-w-0 max-w-3xl rounded-lg border border-line bg-surface shadow-1">
        <div className="flex flex-wrap items-center justify-between gap-2 border-line border-b py-1.5 pr-2 pl-3.5">
          <h2 className="font-semibold">Credentials</h2>
          {mayWrite && device.status !== 'DECOMMISSIONED' && (
            <div className="flex gap-2">
              <Button onClick={() => setOpen({ what: 'token' })}>
                <Plus aria-hidden="true" className="size-3.5" />
                Issue token
              </Button>
              <Menu
                align="end"
                trigger={
                  <Button>
                    More
                    <ChevronDown aria-hidden="true" className="size-3.5" />
                  </Button>
                }
              >
                <MenuItem onSelect={() => setOpen({ what: 'generate' })}>
                  Certificate with a new key…
                </MenuItem>
                <MenuItem onSelect={() => setOpen({ what: 'request' })}>Certificate from a request…</MenuItem>
                <MenuItem onSelect={() => setOpen({ what: 'claim' })}>Claim code…</MenuItem>
              </Menu>
            </div>
          )}
        </div>
        {device.credentials.length === 0 && codes.length === 0 ? (
          <EmptyState icon={KeyRound} title="No credentials">
            This device cannot connect.
          </EmptyState>
        ) : (
          <ul className="divide-y divide-line">
            {codes.map((code) => (
              <Code
                key={code.id}
                code={code}
                onRevoke={mayWrite ? () => setOpen({ what: 'revoke-code', code }) : undefined}
              />
            ))}
            {device.credentials.map((credential) => (
              <Credential
                key={credential.id}
                credential={credential}
                onOpen={mayWrite && isGood(credential) ? (what) => setOpen({ what, credential }) : undefined}
              />
            ))}
          </ul>
        )}
      </section>
      {open && <Opened open={open} device={device} onClose={close} />}
    </div>
  );
}

function Opened({ open, device, onClose }: { open: Open; device: DeviceDetail; onClose: () => void }) {
  switch (open.what) {
    case 'token':
      return <IssueToken device={device} onClose={onClose} />;
    case 'claim':
      return <ClaimCodeDialog device={device} onClose={onClose} />;
    case 'revoke-code':
      return <RevokeClaimCode code={open.code} onClose={onClose} />;
    case 'generate':
    case 'request':
      return (
        <CertificateDialog
          device={device}
          keyFrom={open.what === 'generate' ? 'browser' : 'device'}
          onClose={onClose}
        />
      );
    case 'renew':
      return (
        <CertificateDialog device={device} keyFrom="browser" renews={open.credential} onClose={onClose} />
      );
    case 'revoke':
      return open.credential.kind === 'TOKEN' ? (
        <RevokeToken credential={open.credential} onClose={onClose} />
      ) : (
        <RevokeCertificate credential={open.credential} onClose={onClose} />
      );
  }
}

/** When it ends, whatever ends it. */
function endMs({ expiresAt, retiresAt }: DeviceCredential): number {
  const ends = [expiresAt, retiresAt].map((at) => (at ? Date.parse(at) : Number.POSITIVE_INFINITY));
  return Math.min(...ends);
}

const isGood = (credential: DeviceCredential): boolean =>
  !credential.revokedAt && endMs(credential) > Date.now();

function stateOf(credential: DeviceCredential) {
  if (credential.revokedAt) return credentialState.REVOKED;
  const remainingMs = endMs(credential) - Date.now();
  if (remainingMs <= 0)
    return { ...credentialState.REVOKED, label: credential.retiresAt ? 'Replaced' : 'Expired' };
  if (credential.retiresAt) return { ...credentialState.EXPIRING, label: 'Being replaced' };
  return remainingMs < expiringMs ? credentialState.EXPIRING : credentialState.ACTIVE;
}

type CredentialProps = {
  credential: DeviceCredential;
  onOpen: ((what: 'renew' | 'revoke') => void) | undefined;
};

function Credential({ credential, onOpen }: CredentialProps) {
  const end = endMs(credential);
  const name = `${kinds[credential.kind].toLowerCase()} ${credential.hint}`;
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
          {Number.isFinite(end) && (
            <>
              , ends <RelativeTime at={new Date(end).toISOString()} ahead />
            </>
          )}
        </p>
      </div>
      <StatusBadge {...stateOf(credential)} />
      {onOpen && (
        <div className="flex gap-2">
          {credential.kind === 'CERTIFICATE' && !credential.retiresAt && (
            <Button aria-label={`Renew ${name}`} onClick={() => onOpen('renew')}>
              Renew
            </Button>
          )}
          <Button look="danger" aria-label={`Revoke ${name}`} onClick={() => onOpen('revoke')}>
            Revoke
          </Button>
        </div>
      )}
    </li>
  );
}

function Code({ code, onRevoke }: { code: ClaimCode; onRevoke: (() => void) | undefined }) {
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-3.5 py-2.5">
      <div className="min-w-0 flex-1">
        <p className="font-medium">
          Claim code <span className="font-mono font-normal text-ink-2 text-sm">…{code.hint}</span>
        </p>
        <p className="text-ink-3 text-sm">
          created <RelativeTime at={code.createdAt} />, ends <RelativeTime at={code.expiresAt} ahead />
        </p>
      </div>
      <StatusBadge shape="ring" tone="idle" label="Open" />
      {onRevoke && (
        <Button look="danger" aria-label={`Revoke claim code ${code.hint}`} onClick={onRevoke}>
          Revoke
        </Button>
      )}
    </li>
  );
}
