import { SelectField, TextAreaField, TextField } from '../../ui/field.tsx';
import { lifetimes } from '../commands/command-view.ts';

/** A command as it is typed. */
export type CommandTexts = { readonly type: string; readonly json: string; readonly seconds: number };

export const noCommand: CommandTexts = { type: '', json: '{}', seconds: lifetimes[2].seconds };

type BulkCommandProps = { texts: CommandTexts; onChange: (texts: CommandTexts) => void };

/** What many devices are to do; their templates may differ, so the parameters are JSON. */
export function BulkCommand({ texts, onChange }: BulkCommandProps) {
  return (
    <>
      <TextField
        label="Command"
        autoFocus
        mono
        hint="Its type, as the devices’ template names it."
        value={texts.type}
        onChange={(event) => onChange({ ...texts, type: event.target.value })}
      />
      <TextAreaField
        label="Parameters"
        rows={4}
        hint="A JSON object."
        value={texts.json}
        onChange={(event) => onChange({ ...texts, json: event.target.value })}
      />
      <SelectField
        label="It expires after"
        hint="Who is not connected gets it when it comes before that."
        value={texts.seconds}
        onChange={(event) => onChange({ ...texts, seconds: Number(event.target.value) })}
      >
        {lifetimes.map(({ seconds, label }) => (
          <option key={seconds} value={seconds}>
            {label}
          </option>
        ))}
      </SelectField>
    </>
  );
}
