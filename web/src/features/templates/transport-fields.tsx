import { useFormContext } from 'react-hook-form';
import { SelectField, TextAreaField } from '../../ui/field.tsx';
import { FieldList } from './field-list.tsx';
import { newTransport, type TemplateValues, templateRules } from './template-form.ts';
import { linkNames, protocolNames } from './template-names.ts';

/** How devices of the template reach the platform, unless one is set up otherwise. */
export function TransportFields() {
  return (
    <FieldList
      name="transports"
      title="Transports"
      one="transport"
      none="Nothing is said about how these devices connect. The first that is named is the primary one."
      blank={newTransport}
      fields={Transport}
    />
  );
}

function Transport({ index }: { index: number }) {
  const { register, formState } = useFormContext<TemplateValues>();
  const errors = formState.errors.transports?.[index];
  return (
    <>
      <SelectField
        label="Protocol"
        error={errors?.protocol?.message}
        {...register(`transports.${index}.protocol`)}
      >
        {Object.entries(protocolNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      <SelectField
        label="Link"
        optional
        error={errors?.link?.message}
        {...register(`transports.${index}.link`)}
      >
        <option value="">Not said</option>
        {Object.entries(linkNames).map(([value, name]) => (
          <option key={value} value={value}>
            {name}
          </option>
        ))}
      </SelectField>
      <div className="sm:col-span-2">
        <TextAreaField
          label="Settings"
          optional
          rows={2}
          hint="A JSON object."
          error={errors?.settings?.message}
          {...register(`transports.${index}.settings`, { validate: templateRules.json })}
        />
      </div>
    </>
  );
}
