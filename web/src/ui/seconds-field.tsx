import { SelectField } from './field.tsx';

type SecondsFieldProps = {
  label: string;
  choices: readonly { readonly seconds: number; readonly label: string }[];
  value: number;
  onChange: (seconds: number) => void;
};

/** How long something is to last, one of a few. */
export function SecondsField({ label, choices, value, onChange }: SecondsFieldProps) {
  return (
    <SelectField label={label} value={value} onChange={(event) => onChange(Number(event.target.value))}>
      {choices.map((choice) => (
        <option key={choice.seconds} value={choice.seconds}>
          {choice.label}
        </option>
      ))}
    </SelectField>
  );
}
