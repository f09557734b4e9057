import { useId, useState } from 'react';
import { useMutation } from 'urql';
import { describeError } from '../../data/client.ts';
import { graphql } from '../../generated/index.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { FormError, TextField } from '../../ui/field.tsx';
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
      ... on UserError {
        message
        code
        path
      }
      ... on ValidationError {
        issues {
          path
          message
        }
      }
    }
  }
`);

/** Takes a device out of service for good, once its key has been typed. */
export function DecommissionDialog({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, decommission] = useMutation(deviceDecommissionDocument);
  const formId = useId();
  const submit = async () => {
    if (typed !== device.key || fetching) return;
    const { data, error } = await decommission({ input: { id: device.id } });
    const result = data?.deviceDecommission;
    if (result?.__typename !== 'DeviceDecommissionSuccess') {
      setProblem(
        result?.message ?? (error ? describeError(error).message : 'The device was not decommissioned.'),
      );
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
      <form
        id={formId}
        className="flex flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <TextField
          label={`Type ${device.key} to confirm`}
          mono
          autoFocus
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <FormError message={problem} />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep it</Button>
          <Button look="danger" type="submit" disabled={typed !== device.key || fetching}>
            Decommission
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
