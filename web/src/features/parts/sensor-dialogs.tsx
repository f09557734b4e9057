import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { failureText, showFailure } from '../../data/failures.ts';
import type { MetricType } from '../../generated/graphql.ts';
import { CheckField } from '../../ui/check-field.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import { metricTypeNames } from '../templates/template-names.ts';
import {
  type DeviceParts,
  type Sensor,
  sensorCreateDocument,
  sensorDeleteDocument,
  sensorUpdateDocument,
} from './parts-documents.ts';
import {
  hasRange,
  isOfTemplate,
  type SensorValues,
  sensorFields,
  sensorRules,
  toSensorCreate,
  toSensorUpdate,
  toSensorValues,
} from './sensor-form.ts';

const metricTypes = Object.keys(metricTypeNames) as MetricType[];

type SensorDrawerProps = { device: DeviceParts; sensor?: Sensor; onClose: () => void };

/** Says that something is measured, or what it is. */
export function SensorDrawer({ device, sensor, onClose }: SensorDrawerProps) {
  const form = useForm<SensorValues>({ defaultValues: toSensorValues(sensor) });
  const [, create] = useMutation(sensorCreateDocument);
  const [, update] = useMutation(sensorUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const fixed = isOfTemplate(sensor);
  const send = async (values: SensorValues) => {
    if (!sensor) {
      const { data, error } = await create({ input: toSensorCreate(values, device.id) });
      return { result: data?.sensorCreate, error };
    }
    const { data, error } = await update({ input: toSensorUpdate(values, sensor, device.version) });
    return { result: data?.sensorUpdate, error };
  };
  const save = form.handleSubmit(async (values) => {
    const { result, error } = await send(values);
    if (result && 'device' in result) {
      announce(`${values.name.trim() || values.metric.trim()} is saved.`);
      onClose();
    } else showFailure({ failure: result, error }, { fields: sensorFields, setError: form.setError });
  });
  const ranged = hasRange(form.watch('type'));
  return (
    <FormDrawer
      title={sensor ? 'Edit sensor' : 'New sensor'}
      description={sensor && <span className="font-mono">{sensor.metric}</span>}
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {!sensor && (
        <TextField
          label="Metric"
          mono
          autoFocus
          hint="The key of its values in readings; never changes."
          error={errors.metric?.message}
          {...form.register('metric', { validate: sensorRules.metric })}
        />
      )}
      <TextField
        label="Name"
        optional={!sensor}
        autoFocus={sensor !== undefined}
        error={errors.name?.message}
        {...form.register('name')}
      />
      {fixed && <p className="text-ink-2 text-sm">What it measures is said by the template it comes from.</p>}
      <SelectField label="Values" disabled={fixed} error={errors.type?.message} {...form.register('type')}>
        {metricTypes.map((type) => (
          <option key={type} value={type}>
            {metricTypeNames[type]}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Unit"
        optional
        disabled={fixed}
        hint="A UCUM code, where there is one: V, A, Cel, %."
        error={errors.unit?.message}
        {...form.register('unit')}
      />
      {ranged && (
        <div className="grid grid-cols-2 gap-3">
          <TextField
            label="Least"
            optional
            disabled={fixed}
            inputMode="decimal"
            error={errors.min?.message}
            {...form.register('min', { validate: sensorRules.bound })}
          />
          <TextField
            label="Greatest"
            optional
            disabled={fixed}
            inputMode="decimal"
            error={errors.max?.message}
            {...form.register('max', { validate: sensorRules.bound })}
          />
        </div>
      )}
      {sensor && (
        <CheckField
          label="Counts"
          hint="One that does not is kept, but not missed when it is silent."
          {...form.register('active')}
        />
      )}
    </FormDrawer>
  );
}

/** Forgets a sensor that somebody added or that was found in the data. */
export function DeleteSensor({ sensor, onClose }: { sensor: Sensor; onClose: () => void }) {
  const [, remove] = useMutation(sensorDeleteDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: sensor.id } });
    const result = data?.sensorDelete;
    if (result?.__typename !== 'SensorDeleteSuccess') return failureText(result, error);
    announce(`${sensor.name} is forgotten.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Forget ${sensor.name}?`}
      description="Its readings stay. If the device goes on sending it, it may be found again."
      action="Forget"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
