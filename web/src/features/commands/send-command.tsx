import { useState } from 'react';
import { useMutation } from 'urql';
import { failureText } from '../../data/failures.ts';
import type { UserErrorLike } from '../../data/form-errors.ts';
import { readJsonObject } from '../../data/json-diff.ts';
import { Button } from '../../ui/button.tsx';
import { FormError, SelectField, TextAreaField, TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import { useDevice } from '../devices/device-detail.ts';
import { type CommandTypes, commandSendDocument } from './command-documents.ts';
import { lifetimes } from './command-view.ts';
import { ParamFields } from './param-fields.tsx';
import { fieldsOf, problemOf, type SchemaField, toParams } from './schema-fields.ts';

type Problems = Readonly<Record<string, string>>;

/** Everything that is wrong with a filled form, by field. */
function problemsOf(fields: readonly SchemaField[], texts: Readonly<Record<string, string>>): Problems {
  return Object.fromEntries(
    fields.flatMap((field): [string, string][] => {
      const problem = problemOf(field, texts[field.key] ?? '');
      return problem === undefined ? [] : [[field.key, problem]];
    }),
  );
}

/** What the API says of single parameters, by field. */
function refusedParams(failure: UserErrorLike, fields: readonly SchemaField[]): Problems {
  return Object.fromEntries(
    (failure.issues ?? []).flatMap(({ path, message }): [string, string][] => {
      const key = path[path.indexOf('params') + 1] ?? '';
      return fields.some((field) => field.key === key) ? [[key, message]] : [];
    }),
  );
}

/** Sends one of the commands that the device's template has; any, for a device without one. */
export function SendCommand({ types }: { types: CommandTypes }) {
  const device = useDevice();
  const free = types.template === null;
  const [type, setType] = useState('');
  const [texts, setTexts] = useState<Readonly<Record<string, string>>>({});
  const [json, setJson] = useState('{}');
  const [asJson, setAsJson] = useState(false);
  const [seconds, setSeconds] = useState<number>(lifetimes[2].seconds);
  const [problems, setProblems] = useState<Problems>({});
  const [problem, setProblem] = useState<string>();
  const [{ fetching }, send] = useMutation(commandSendDocument);
  const chosen = types.commandTypes.find(({ key }) => key === type);
  const fields = free ? undefined : fieldsOf(chosen?.params);
  const raw = fields === undefined || asJson;

  const choose = (next: string) => {
    const params = types.commandTypes.find(({ key }) => key === next)?.params;
    setType(next);
    setProblems({});
    setProblem(undefined);
    setTexts(Object.fromEntries((fieldsOf(params) ?? []).map(({ key, initial }) => [key, initial])));
    setJson('{}');
  };
  const switchTo = (toJson: boolean) => {
    if (toJson && fields && Object.keys(problemsOf(fields, texts)).length === 0)
      setJson(JSON.stringify(toParams(fields, texts), null, 2));
    setAsJson(toJson);
  };
  const readParams = (): Record<string, unknown> | undefined => {
    if (!raw) {
      const wrong = problemsOf(fields, texts);
      setProblems(wrong);
      return Object.keys(wrong).length === 0 ? toParams(fields, texts) : undefined;
    }
    const read = readJsonObject(json);
    setProblems('problem' in read ? { '': read.problem } : {});
    return 'value' in read ? read.value : undefined;
  };
  const submit = async () => {
    setProblem(undefined);
    const name = type.trim();
    if (name === '') return setProblem('Choose what it should do.');
    const params = readParams();
    if (!params || fetching) return;
    const { data, error } = await send({
      input: { deviceId: device.id, type: name, params, expiresInSeconds: seconds },
    });
    const result = data?.commandSend;
    if (result?.__typename === 'CommandSendSuccess') {
      announce(`${chosen?.name ?? name} is on its way.`);
      return choose('');
    }
    const refused = !raw && result ? refusedParams(result, fields) : {};
    setProblems(refused);
    if (Object.keys(refused).length === 0) setProblem(failureText(result, error));
  };

  return (
    <form
      className="flex flex-col gap-4 p-3.5"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {free ? (
        <TextField
          label="Command"
          mono
          hint="Its type, as the device knows it."
          value={type}
          onChange={(event) => setType(event.target.value)}
        />
      ) : (
        <SelectField
          label="Command"
          hint={chosen?.description}
          value={type}
          onChange={(event) => choose(event.target.value)}
        >
          <option value="">Choose…</option>
          {types.commandTypes.map(({ key, name }) => (
            <option key={key} value={key}>
              {name}
            </option>
          ))}
        </SelectField>
      )}
      {(chosen || free) &&
        (raw ? (
          <TextAreaField
            label="Parameters"
            rows={5}
            value={json}
            hint="A JSON object."
            error={problems['']}
            onChange={(event) => setJson(event.target.value)}
          />
        ) : (
          <ParamFields
            fields={fields}
            texts={texts}
            problems={problems}
            onChange={(key, text) => setTexts({ ...texts, [key]: text })}
          />
        ))}
      {chosen && fields && fields.length > 0 && (
        <Button look="quiet" className="-mt-2 self-start" onClick={() => switchTo(!asJson)}>
          {asJson ? 'Fill in fields' : 'Write JSON'}
        </Button>
      )}
      <SelectField
        label="It expires after"
        hint={
          device.presence.connection === 'ONLINE'
            ? 'The device is connected and gets it at once.'
            : 'The device is not connected. It gets the command when it comes, unless that has expired.'
        }
        value={seconds}
        onChange={(event) => setSeconds(Number(event.target.value))}
      >
        {lifetimes.map((lifetime) => (
          <option key={lifetime.seconds} value={lifetime.seconds}>
            {lifetime.label}
          </option>
        ))}
      </SelectField>
      <div className="whitespace-pre-line empty:hidden">
        <FormError message={problem} />
      </div>
      <Button look="primary" type="submit" className="self-end" disabled={fetching}>
        Send
      </Button>
    </form>
  );
}
