import { useForm } from 'react-hook-form';
import { useMutation, useQuery } from 'urql';
import { showFailure } from '../../data/failures.ts';
import { SelectField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import { type DeviceParts, partsUpdateDocument, templateChoicesDocument } from './parts-documents.ts';

type TemplateValues = { readonly templateKey: string };

/** Says what a device is, that was made without a template. */
export function TemplateDrawer({ device, onClose }: { device: DeviceParts; onClose: () => void }) {
  const form = useForm<TemplateValues>({ defaultValues: { templateKey: '' } });
  const [{ data }] = useQuery({ query: templateChoicesDocument });
  const [, update] = useMutation(partsUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const save = form.handleSubmit(async ({ templateKey }) => {
    const { data: answer, error } = await update({
      input: { id: device.id, expectedVersion: device.version, templateKey },
    });
    const result = answer?.deviceUpdate;
    if (result?.__typename === 'DeviceUpdateSuccess') {
      announce(`${device.name} has its template.`);
      onClose();
    } else showFailure({ failure: result, error }, { fields: ['templateKey'], setError: form.setError });
  });
  return (
    <FormDrawer
      title="Choose a template"
      description="Its required sensors and its transports appear. A device keeps its template."
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <SelectField
        label="Template"
        autoFocus
        error={errors.templateKey?.message}
        {...form.register('templateKey', { required: 'Choose one.' })}
      >
        <option value="">Choose…</option>
        {(data?.templates.nodes ?? []).map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </SelectField>
    </FormDrawer>
  );
}
