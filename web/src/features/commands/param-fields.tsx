import { SelectField, TextAreaField, TextField } from '../../ui/field.tsx';
import { formatValue } from '../devices/value.ts';
import type { SchemaField } from './schema-fields.ts';

type ParamFieldsProps = {
  fields: readonly SchemaField[];
  texts: Readonly<Record<string, string>>;
  problems: Readonly<Record<string, string>>;
  onChange: (key: string, text: string) => void;
};

/** A field for each parameter of a command, made from its schema. */
export function ParamFields({ fields, texts, problems, onChange }: ParamFieldsProps) {
  if (fields.length === 0) return <p className="text-ink-2 text-sm">It takes no parameters.</p>;
  return fields.map((field) => (
    <ParamField
      key={field.key}
      field={field}
      text={texts[field.key] ?? ''}
      problem={problems[field.key]}
      onChange={(text) => onChange(field.key, text)}
    />
  ));
}

type ParamFieldProps = {
  field: SchemaField;
  text: string;
  problem: string | undefined;
  onChange: (text: string) => void;
};

function ParamField({ field, text, problem, onChange }: ParamFieldProps) {
  const frame = {
    label: field.label,
    optional: !field.required,
    error: problem,
    hint: [field.hint, limitsOf(field)].filter(Boolean).join(' ') || undefined,
    value: text,
  };
  if (field.kind === 'CHOICE') {
    return (
      <SelectField {...frame} onChange={(event) => onChange(event.target.value)}>
        <option value="">{field.required ? 'Choose…' : 'Not said'}</option>
        {field.choices.map((choice) => (
          <option key={JSON.stringify(choice)} value={JSON.stringify(choice)}>
            {formatValue(choice)}
          </option>
        ))}
      </SelectField>
    );
  }
  if (field.kind === 'JSON')
    return <TextAreaField {...frame} rows={3} onChange={(event) => onChange(event.target.value)} />;
  return (
    <TextField
      {...frame}
      {...(field.kind === 'TEXT' ? {} : { inputMode: 'decimal' as const })}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function limitsOf({ kind, min, max }: SchemaField): string {
  if (kind === 'JSON') return 'As JSON.';
  if (kind === 'TEXT') return max === undefined ? '' : `At most ${max} characters.`;
  if (min !== undefined && max !== undefined) return `${min} to ${max}.`;
  if (min !== undefined) return `From ${min}.`;
  return max === undefined ? '' : `Up to ${max}.`;
}
