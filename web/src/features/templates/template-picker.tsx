import { Lock, X } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import type { TemplateCategory } from '../../generated/graphql.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { ErrorPanel } from '../../ui/error-panel.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Skeleton } from '../../ui/skeleton.tsx';
import { templateDocument, templateListDocument } from './template-documents.ts';
import { categoryNames } from './template-names.ts';

const shown = 30;
const categories = Object.keys(categoryNames) as TemplateCategory[];
/** Modules are installed in a device; they are none. */
const ofDevices = categories.filter((category) => category !== 'EXPANSION_MODULE');

type TemplatePickerProps = {
  /** Key of the chosen template; empty: none. */
  value: string;
  onChange: (key: string) => void;
  error?: string | undefined;
};

/** A field that holds the template of a device, chosen in a dialog with a search. */
export function TemplatePicker({ value, onChange, error }: TemplatePickerProps) {
  const [open, setOpen] = useState(false);
  const [{ data }] = useQuery({ query: templateDocument, variables: { key: value }, pause: value === '' });
  const name = data?.template?.key === value ? data.template.name : value;
  return (
    <fieldset className="min-w-0">
      <legend className="mb-1 flex items-baseline gap-1.5 font-medium text-sm">
        Template <span className="font-normal text-ink-3 text-xs">optional</span>
      </legend>
      <div className="flex flex-wrap items-center gap-2">
        {value !== '' && <span className="min-w-0 break-words">{name}</span>}
        <Button onClick={() => setOpen(true)}>
          {value === '' ? 'Choose a template…' : 'Choose another…'}
        </Button>
        {value !== '' && (
          <Button look="quiet" icon aria-label="Without a template" onClick={() => onChange('')}>
            <X aria-hidden="true" className="size-4" />
          </Button>
        )}
      </div>
      {error && <p className="mt-1 text-bad text-xs">{error}</p>}
      {value === '' && (
        <p className="mt-1 text-ink-3 text-xs">
          What it is, measures and obeys; its sensors and transports come along.
        </p>
      )}
      {open && (
        <TemplateDialog
          onClose={() => setOpen(false)}
          onChoose={(key) => {
            onChange(key);
            setOpen(false);
          }}
        />
      )}
    </fieldset>
  );
}

function TemplateDialog({ onChoose, onClose }: { onChoose: (key: string) => void; onClose: () => void }) {
  const [search, setSearch] = useState('');
  const [{ data, error }, refetch] = useQuery({
    query: templateListDocument,
    variables: { first: shown, where: { categories: ofDevices, ...(search !== '' && { search }) } },
    requestPolicy: 'cache-and-network',
  });
  const templates = data?.templates.nodes;
  const hidden = (data?.templates.totalCount ?? 0) - (templates?.length ?? 0);
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()} title="Choose a template">
      <SearchField label="Name, key or description" value={search} onChange={setSearch} focused />
      {error && !templates && (
        <ErrorPanel error={error} onRetry={() => refetch({ requestPolicy: 'network-only' })} />
      )}
      {!error && !templates && <Skeleton className="mt-3 h-40 rounded-md" />}
      <ul aria-label="Templates" className="mt-3 divide-y divide-line">
        {templates?.map((template) => (
          <li key={template.id}>
            <button
              type="button"
              onClick={() => onChoose(template.key)}
              className="block w-full rounded-md px-2 py-2 text-left hover:bg-hover"
            >
              <span className="flex items-center gap-1.5 font-medium">
                {template.name}
                {template.source === 'SYSTEM' && (
                  <Lock aria-label="from the platform" className="size-3 text-ink-3" />
                )}
              </span>
              <span className="block break-words text-ink-2 text-sm">
                {categoryNames[template.category]} · <span className="font-mono text-xs">{template.key}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {templates?.length === 0 && <p className="py-3 text-ink-2">No template matches.</p>}
      {hidden > 0 && (
        <p className="pt-2 text-ink-3 text-sm">{hidden.toLocaleString()} more: search for yours.</p>
      )}
    </Dialog>
  );
}
