import { useFormContext } from 'react-hook-form';
import { SelectField, TextField } from '../../ui/field.tsx';
import { FieldList } from './field-list.tsx';
import { newSlot, type TemplateValues, templateRules } from './template-form.ts';
import { interfaceNames, slotTypeNames } from './template-names.ts';

/** Where devices of the template take modules. */
export function SlotFields() {
  return (
    <FieldList
      name="slots"
      title="Slots"
      one="slot"
      none="Devices of this template take no modules."
      blank={newSlot}
      fields={Slot}
    />
  );
}

function Slot({ index }: { index: number }) {
  const { register, formState } = useFormContext<TemplateValues>();
  const errors = formState.errors.slots?.[index];
  return (
    <>
      <TextField
        label="Key"
        mono
        error={errors?.key?.message}
        {...register(`slots.${index}.key`, { validate: templateRules.needed })}
      />
      <TextField label="Name" optional error={errors?.name?.message} {...register(`slots.${index}.name`)} />
      <SelectField label="Kind" error={errors?.type?.message} {...register(`slots.${index}.type`)}>
        {Object.entries(slotTypeNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      <SelectField
        label="Interface"
        error={errors?.interface?.message}
        {...register(`slots.${index}.interface`)}
      >
        {Object.entries(interfaceNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Modules at once"
        inputMode="numeric"
        error={errors?.maxDevices?.message}
        {...register(`slots.${index}.maxDevices`, { validate: templateRules.count })}
      />
      <div className="sm:col-span-2">
        <TextField
          label="Templates that fit"
          optional
          mono
          hint="Their keys, separated by commas; any module or sensor by default."
          error={errors?.compatibleTemplates?.message}
          {...register(`slots.${index}.compatibleTemplates`)}
        />
      </div>
      <label className="flex items-center gap-2 self-end pb-2 text-sm">
        <input type="checkbox" className="size-4 accent-accent" {...register(`slots.${index}.required`)} />
        Required
      </label>
    </>
  );
}
