import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { describeError } from '../../data/client.ts';
import { showErrors, sortErrors } from '../../data/form-errors.ts';
import { Button } from '../../ui/button.tsx';
import { Drawer } from '../../ui/dialog.tsx';
import { FormError } from '../../ui/field.tsx';
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
    } else if (result) {
      showErrors(sortErrors(result, deviceFields, renamedFields), deviceFields, form.setError);
    } else {
      form.setError('root', {
        message: error ? describeError(error).message : 'The platform did not answer. Try again.',
      });
    }
  });
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && onClose()}
      title="Edit device"
      description={<span className="font-mono">{device.key}</span>}
    >
      <form onSubmit={save} noValidate className="flex min-h-0 flex-1 flex-col">
        <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">
          <IdentityFields form={form} />
          <HardwareFields form={form} />
          <FormError message={errors.root?.message} />
        </div>
        <footer className="flex justify-end gap-2 border-line border-t px-5 py-3">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={!isDirty || isSubmitting}>
            {isSubmitting ? 'Saving…' : 'Save'}
          </Button>
        </footer>
      </form>
    </Drawer>
  );
}
