import { useFormContext, useWatch } from 'react-hook-form';
import { SelectField, TextField } from '../../ui/field.tsx';
import { FieldList } from './field-list.tsx';
import { newMetric, type TemplateValues, templateRules } from './template-form.ts';
import { metricTypeNames } from './template-names.ts';

/** What devices of the template measure. */
export function MetricFields() {
  return (
    <FieldList
      name="metrics"
      title="Metrics"
      one="metric"
      none="No metric is named: whatever a device sends is unknown."
      blank={newMetric}
      fields={Metric}
    />
  );
}

function Metric({ index }: { index: number }) {
  const { register, formState, control } = useFormContext<TemplateValues>();
  const errors = formState.errors.metrics?.[index];
  const type = useWatch({ control, name: `metrics.${index}.type` });
  return (
    <>
      <TextField
        label="Key"
        mono
        error={errors?.key?.message}
        {...register(`metrics.${index}.key`, { validate: templateRules.needed })}
      />
      <TextField label="Name" optional error={errors?.name?.message} {...register(`metrics.${index}.name`)} />
      <SelectField label="Type" error={errors?.type?.message} {...register(`metrics.${index}.type`)}>
        {Object.entries(metricTypeNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Unit"
        optional
        placeholder="V, Cel, %"
        error={errors?.unit?.message}
        {...register(`metrics.${index}.unit`)}
      />
      {(type === 'FLOAT' || type === 'INTEGER') && (
        <>
          <TextField
            label="Least"
            optional
            inputMode="decimal"
            error={errors?.min?.message}
            {...register(`metrics.${index}.min`, { validate: templateRules.number })}
          />
          <TextField
            label="Greatest"
            optional
            inputMode="decimal"
            error={errors?.max?.message}
            {...register(`metrics.${index}.max`, { validate: templateRules.number })}
          />
        </>
      )}
      {type === 'FLOAT' && (
        <TextField
          label="Digits shown"
          optional
          inputMode="numeric"
          error={errors?.precision?.message}
          {...register(`metrics.${index}.precision`, { validate: templateRules.precision })}
        />
      )}
      {type === 'ENUM' && (
        <TextField
          label="Values"
          hint="Separated by commas."
          error={errors?.values?.message}
          {...register(`metrics.${index}.values`, { validate: templateRules.needed })}
        />
      )}
      <label className="flex items-center gap-2 self-end pb-2 text-sm">
        <input type="checkbox" className="size-4 accent-accent" {...register(`metrics.${index}.required`)} />
        Required
      </label>
    </>
  );
}
