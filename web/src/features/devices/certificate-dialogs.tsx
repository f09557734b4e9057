import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import type { RevocationReason } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import type { CertificateBundle } from './certificate-bundle.ts';
import { certificateRevokeDocument } from './credential-documents.ts';
import type { DeviceCredential, DeviceDetail } from './device-detail.ts';
import { CertificateReady, MakeCertificate } from './make-certificate.tsx';

const reasons: Readonly<Record<RevocationReason, string>> = {
  UNSPECIFIED: 'Not said',
  KEY_COMPROMISE: 'Somebody else may have the key',
  AFFILIATION_CHANGED: 'The device belongs to somebody else',
  SUPERSEDED: 'Another certificate takes its place',
  CESSATION_OF_OPERATION: 'The device is out of service',
  PRIVILEGE_WITHDRAWN: 'It may no longer do this',
};
const reasonNames = [
  'UNSPECIFIED',
  'KEY_COMPROMISE',
  'AFFILIATION_CHANGED',
  'SUPERSEDED',
  'CESSATION_OF_OPERATION',
  'PRIVILEGE_WITHDRAWN',
] as const;

/** What people call a reason. */
export const reasonName = (reason: RevocationReason | null | undefined): string =>
  reason ? reasons[reason] : reasons.UNSPECIFIED;

type CertificateDialogProps = {
  device: DeviceDetail;
  keyFrom: 'browser' | 'device';
  renews?: DeviceCredential;
  onClose: () => void;
};

/** Makes a certificate, in place of another where one is given, and hands it over. */
export function CertificateDialog({ device, keyFrom, renews, onClose }: CertificateDialogProps) {
  const [from, setFrom] = useState(keyFrom);
  const [bundle, setBundle] = useState<CertificateBundle>();
  const title = renews ? `Renew certificate ${renews.hint}` : `Certificate for ${device.name}`;
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={bundle ? 'Take the certificate' : title}>
      {bundle ? (
        <>
          <CertificateReady bundle={bundle} />
          <div className="mt-4 flex justify-end">
            <Button onClick={onClose}>Done</Button>
          </div>
        </>
      ) : (
        <>
          {renews && (
            <div className="mb-4">
              <SelectField
                label="Key"
                value={from}
                onChange={(event) => setFrom(event.target.value === 'device' ? 'device' : 'browser')}
              >
                <option value="browser">A new one, made in this browser</option>
                <option value="device">The device’s own, from a request</option>
              </SelectField>
            </div>
          )}
          <MakeCertificate
            device={device}
            keyFrom={from}
            {...(renews && { renews: renews.id })}
            onMade={setBundle}
            onCancel={onClose}
          />
        </>
      )}
    </Dialog>
  );
}

/** Ends a certificate, after asking. */
export function RevokeCertificate({
  credential,
  onClose,
}: {
  credential: Pick<DeviceCredential, 'id' | 'hint'>;
  onClose: () => void;
}) {
  const [reason, setReason] = useState<RevocationReason>('UNSPECIFIED');
  const [, revoke] = useMutation(certificateRevokeDocument);
  const confirm = async () => {
    const { data, error } = await revoke({ input: { id: credential.id, reason } });
    const result = data?.deviceCertificateRevoke;
    if (result?.__typename !== 'DeviceCertificateRevokeSuccess') return failureText(result, error);
    announce(`Certificate ${credential.hint} is revoked.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Revoke certificate ${credential.hint}?`}
      description="A connection that began with it is closed at once, and it is put on the revocation list. This cannot be undone."
      action="Revoke"
      onConfirm={confirm}
      onClose={onClose}
    >
      <SelectField
        label="Reason"
        value={reason}
        onChange={(event) =>
          setReason(reasonNames.find((each) => each === event.target.value) ?? 'UNSPECIFIED')
        }
      >
        {reasonNames.map((each) => (
          <option key={each} value={each}>
            {reasons[each]}
          </option>
        ))}
      </SelectField>
    </ConfirmDialog>
  );
}
