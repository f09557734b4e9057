import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { graphql } from '../../generated/index.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { DialogForm } from '../../ui/dialog-form.tsx';
import { TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import type { DeviceDetail } from './device-detail.ts';

const deviceDecommissionDocument = graphql(`
  mutation DeviceDecommission($input: DeviceDecommissionInput!) {
    deviceDecommission(input: $input) {
      __typename
      ... on DeviceDecommissionSuccess {
        device {
          ...DeviceDetail
        }
      }
      ...Failure
    }
  }
`);

/** Takes a device out of service for good, once its key has been typed. */
export function DecommissionDialog({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, decommission] = useMutation(deviceDecommissionDocument);
  const submit = async () => {
    const { data, error } = await decommission({ input: { id: device.id } });
    const result = data?.deviceDecommission;
    if (result?.__typename !== 'DeviceDecommissionSuccess') {
      setProblem(failureText(result, error));
      return;
    }
    announce(`${device.name} is out of service.`);
    onClose();
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Decommission ${device.name}?`}
      description="Its credentials are revoked and its connection is closed. Its readings stay. This cannot be undone."
    >
      <DialogForm
        action="Decommission"
        look="danger"
        busy={fetching}
        ready={typed === device.key}
        problem={problem}
        onSubmit={() => void submit()}
        cancel="Keep it"
        onCancel={onClose}
      >
        <TextField
          label={`Type ${device.key} to confirm`}
          mono
          autoFocus
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </DialogForm>
    </Dialog>
  );
}
