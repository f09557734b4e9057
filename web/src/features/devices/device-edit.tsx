import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { showFailure } from '../../data/failures.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import type { DeviceDetail } from './device-detail.ts';
import { HardwareFields, IdentityFields } from './device-fields.tsx';
import {
  type DeviceValues,
  deviceFields,
  renamedFields,
  toDeviceValues,
  toUpdateInput,
} from './device-form.ts';
import { deviceUpdateDocument } from './device-update.ts';

/** The drawer that changes a device. Someone else's change in between is reported, not overwritten. */
export function DeviceEdit({ device, onClose }: { device: DeviceDetail; onClose: () => void }) {
  const form = useForm<DeviceValues>({ defaultValues: toDeviceValues(device) });
  const [, update] = useMutation(deviceUpdateDocument);
  const { errors, isSubmitting, isDirty, dirtyFields } = form.formState;
  const save = form.handleSubmit(async (values) => {
    const changed = new Set(deviceFields.filter((field) => dirtyFields[field]));
    const { data, error } = await update({ input: toUpdateInput(values, changed, device) });
    const result = data?.deviceUpdate;
    if (result?.__typename === 'DeviceUpdateSuccess') {
      announce(`${result.device.name} is saved.`);
      onClose();
    } else if (result?.__typename === 'ConflictError') {
      form.setError('root', {
        message: 'Someone changed this device meanwhile. Close and open again to see it as it is now.',
      });
    } else
      showFailure(
        { failure: result, error },
        { fields: deviceFields, rename: renamedFields, setError: form.setError },
      );
  });
  return (
    <FormDrawer
      title="Edit device"
      description={<span className="font-mono">{device.key}</span>}
      action={isSubmitting ? 'Saving…' : 'Save'}
      busy={isSubmitting}
      ready={isDirty}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <IdentityFields form={form} />
      <HardwareFields form={form} />
    </FormDrawer>
  );
}
