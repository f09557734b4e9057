import { Plus, X } from 'lucide-react';
import { useFieldArray, useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type MetricMapValues,
  mappingFieldOf,
  mappingRules,
  newMapping,
  toMappings,
  toMappingValues,
} from './metric-map-form.ts';
import { type DeviceParts, partsUpdateDocument } from './parts-documents.ts';

/** Edits what a device's metrics are called and how their numbers become what is stored. */
export function MetricMapDrawer({ device, onClose }: { device: DeviceParts; onClose: () => void }) {
  const rows = toMappingValues(device.metricMap);
  const form = useForm<MetricMapValues>({ defaultValues: { map: rows.length > 0 ? rows : [newMapping] } });
  const { fields, append, remove } = useFieldArray({ control: form.control, name: 'map' });
  const [, update] = useMutation(partsUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const save = form.handleSubmit(async ({ map }) => {
    const { data, error } = await update({
      input: { id: device.id, expectedVersion: device.version, metricMap: toMappings(map) },
    });
    const result = data?.deviceUpdate;
    if (result?.__typename === 'DeviceUpdateSuccess') {
      announce('The metric map is saved. It holds from the next message on.');
      onClose();
      return;
    }
    const placed = (result && 'issues' in result ? result.issues : []).flatMap(({ path, message }) => {
      const field = mappingFieldOf(path);
      return field ? [{ field, message }] : [];
    });
    if (placed.length === 0) form.setError('root', { message: failureText(result, error) });
    for (const { field, message } of placed) form.setError(field, { message });
  });
  return (
    <FormDrawer
      title="Metric map"
      description="Stored = what the device sends × scale + offset."
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {fields.map((field, index) => {
        const at = errors.map?.[index];
        const row = () => form.getValues(`map.${index}`);
        return (
          <fieldset key={field.id} className="relative min-w-0 rounded-lg border border-line p-3 pt-2">
            <legend className="sr-only">Renaming {index + 1}</legend>
            <Button
              look="quiet"
              icon
              aria-label={`Remove renaming ${index + 1}`}
              className="absolute top-0.5 right-0.5"
              onClick={() => remove(index)}
            >
              <X aria-hidden="true" className="size-4" />
            </Button>
            <div className="grid grid-cols-2 gap-3">
              <TextField
                label="The device sends"
                mono
                error={at?.raw?.message}
                {...form.register(`map.${index}.raw`, { validate: (text) => mappingRules.name(text, row()) })}
              />
              <TextField
                label="It is stored as"
                mono
                error={at?.metric?.message}
                {...form.register(`map.${index}.metric`, {
                  validate: (text) => mappingRules.name(text, row()),
                })}
              />
              <TextField
                label="Scale"
                inputMode="decimal"
                error={at?.scale?.message}
                {...form.register(`map.${index}.scale`, { validate: mappingRules.scale })}
              />
              <TextField
                label="Offset"
                inputMode="decimal"
                error={at?.offset?.message}
                {...form.register(`map.${index}.offset`, { validate: mappingRules.offset })}
              />
            </div>
          </fieldset>
        );
      })}
      <Button className="self-start" onClick={() => append(newMapping)}>
        <Plus aria-hidden="true" className="size-4" />
        Add renaming
      </Button>
    </FormDrawer>
  );
}
