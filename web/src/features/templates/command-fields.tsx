import { useFormContext } from 'react-hook-form';
import { TextAreaField, TextField } from '../../ui/field.tsx';
import { FieldList } from './field-list.tsx';
import { newCommand, type TemplateValues, templateRules } from './template-form.ts';

/** What devices of the template obey. */
export function CommandFields() {
  return (
    <FieldList
      name="commands"
      title="Commands"
      one="command"
      none="Devices of this template obey no command."
      blank={newCommand}
      fields={Command}
    />
  );
}

function Command({ index }: { index: number }) {
  const { register, formState } = useFormContext<TemplateValues>();
  const errors = formState.errors.commands?.[index];
  return (
    <>
      <TextField
        label="Key"
        mono
        error={errors?.key?.message}
        {...register(`commands.${index}.key`, { validate: templateRules.needed })}
      />
      <TextField
        label="Name"
        optional
        error={errors?.name?.message}
        {...register(`commands.${index}.name`)}
      />
      <div className="sm:col-span-2">
        <TextField
          label="Description"
          optional
          error={errors?.description?.message}
          {...register(`commands.${index}.description`)}
        />
      </div>
      <div className="sm:col-span-2">
        <TextAreaField
          label="Parameters"
          optional
          rows={4}
          hint="A JSON Schema of an object; without it the command takes none."
          error={errors?.params?.message}
          {...register(`commands.${index}.params`, { validate: templateRules.json })}
        />
      </div>
      <div className="sm:col-span-2">
        <TextAreaField
          label="Answer"
          optional
          rows={4}
          hint="A JSON Schema of what a device says when it is done."
          error={errors?.response?.message}
          {...register(`commands.${index}.response`, { validate: templateRules.json })}
        />
      </div>
    </>
  );
}
