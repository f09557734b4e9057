import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { announce } from '../../ui/toast.tsx';
import { claimCodeRevokeDocument } from './credential-documents.ts';
import type { ClaimCode, DeviceDetail } from './device-detail.ts';
import { ClaimCodeReady, type MadeCode, MakeClaimCode } from './make-claim-code.tsx';

/** Makes a claim code for a device and shows it. */
export function ClaimCodeDialog({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const [made, setMade] = useState<MadeCode>();
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={made ? 'Keep the claim code' : `Claim code for ${device.name}`}
      description={
        made
          ? undefined
          : 'Whoever installs the device types it in; the device exchanges it once for a credential.'
      }
    >
      {made ? (
        <>
          <ClaimCodeReady {...made} />
          <div className="mt-4 flex justify-end">
            <Button look="primary" onClick={onClose}>
              Done
            </Button>
          </div>
        </>
      ) : (
        <MakeClaimCode deviceId={device.id} onMade={setMade} onCancel={onClose} />
      )}
    </Dialog>
  );
}

/** Ends a claim code, after asking. */
export function RevokeClaimCode({ code, onClose }: { code: ClaimCode; onClose: () => void }) {
  const [, revoke] = useMutation(claimCodeRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({ input: { id: code.id } });
    const result = data?.claimCodeRevoke;
    if (result?.__typename !== 'ClaimCodeRevokeSuccess') return failureText(result, error);
    announce(`Claim code …${code.hint} is revoked.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Revoke claim code …${code.hint}?`}
      description="Nobody can claim it any more."
      action="Revoke"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
