import { SelectField } from './field.tsx';

const dayMs = 86_400_000;
const choices = [
  { days: '', label: 'Never' },
  { days: '7', label: 'In 7 days' },
  { days: '30', label: 'In 30 days' },
  { days: '90', label: 'In 90 days' },
  { days: '365', label: 'In a year' },
];

type LifetimeFieldProps = { value: string; onChange: (days: string) => void; error?: string | undefined };

/** How many days a credential lives; empty for always. */
export function LifetimeField({ value, onChange, error }: LifetimeFieldProps) {
  return (
    <SelectField
      label="Expires"
      error={error}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    >
      {choices.map(({ days, label }) => (
        <option key={label} value={days}>
          {label}
        </option>
      ))}
    </SelectField>
  );
}

/** The instant that many days from now; null for never. */
export function endOf(days: string, nowMs: number): string | null {
  return days === '' ? null : new Date(nowMs + Number(days) * dayMs).toISOString();
}
