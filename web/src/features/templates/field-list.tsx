import { ArrowUp, Plus, Trash2 } from 'lucide-react';
import type { ComponentType } from 'react';
import { useFieldArray, useFormContext, useWatch } from 'react-hook-form';
import { Button } from '../../ui/button.tsx';
import type { TemplateValues } from './template-form.ts';
import { protocolNames } from './template-names.ts';

type ListName = 'metrics' | 'commands' | 'slots' | 'transports';

type FieldListProps<Name extends ListName> = {
  name: Name;
  title: string;
  /** One of them, as in `Add a metric`. */
  one: string;
  /** What it means that there is none. */
  none: string;
  /** What a new entry begins with. */
  blank: TemplateValues[Name][number];
  /** The fields of one entry. */
  fields: ComponentType<{ index: number }>;
};

/** A list of entries of a template, in an order that matters: add, remove, move up. */
export function FieldList<Name extends ListName>(props: FieldListProps<Name>) {
  const { name, title, one, none, blank, fields: Fields } = props;
  const { control } = useFormContext<TemplateValues>();
  const { fields, append, remove, swap } = useFieldArray<TemplateValues, ListName>({ control, name });
  return (
    <section aria-label={title} className="rounded-lg border border-line bg-surface shadow-1">
      <div className="flex items-center justify-between gap-3 border-line border-b py-1.5 pr-2 pl-3.5">
        <h2 className="font-semibold">{title}</h2>
        <Button onClick={() => append(blank)}>
          <Plus aria-hidden="true" className="size-3.5" />
          Add a {one}
        </Button>
      </div>
      {fields.length === 0 && <p className="px-3.5 py-3 text-ink-2 text-sm">{none}</p>}
      <ol className="divide-y divide-line">
        {fields.map(({ id }, index) => (
          <Entry
            key={id}
            list={name}
            one={one}
            index={index}
            fields={Fields}
            onRemove={() => remove(index)}
            onRaise={() => swap(index, index - 1)}
          />
        ))}
      </ol>
    </section>
  );
}

type EntryProps = {
  list: ListName;
  one: string;
  index: number;
  fields: ComponentType<{ index: number }>;
  onRemove: () => void;
  onRaise: () => void;
};

function Entry({ list, one, index, fields: Fields, onRemove, onRaise }: EntryProps) {
  const name = useEntryName(list, index) || `${one} ${index + 1}`;
  return (
    <li className="flex gap-2 p-3.5">
      <fieldset className="grid min-w-0 flex-1 gap-3 sm:grid-cols-2 lg:grid-cols-4">
        <legend className="sr-only">{name}</legend>
        <Fields index={index} />
      </fieldset>
      <div className="flex flex-col gap-1">
        <Button look="quiet" icon aria-label={`Remove ${name}`} onClick={onRemove}>
          <Trash2 aria-hidden="true" className="size-4" />
        </Button>
        {index > 0 && (
          <Button look="quiet" icon aria-label={`Move ${name} up`} onClick={onRaise}>
            <ArrowUp aria-hidden="true" className="size-4" />
          </Button>
        )}
      </div>
    </li>
  );
}

/** What an entry is called by now; empty while it has no name. */
function useEntryName(list: ListName, index: number): string {
  const { control } = useFormContext<TemplateValues>();
  const entry = useWatch({ control, name: `${list}.${index}` });
  if (!entry) return '';
  return 'key' in entry ? entry.key : protocolNames[entry.protocol];
}
