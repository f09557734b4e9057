import { ChevronRight, Lock } from 'lucide-react';
import type { ReactNode } from 'react';
import { type FieldPath, FormProvider, useForm, useFormContext } from 'react-hook-form';
import { Link, useNavigate, useParams } from 'react-router';
import { useMutation, useQuery } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { failureText } from '../../data/failures.ts';
import type { UserErrorLike } from '../../data/form-errors.ts';
import { useLeaveGuard } from '../../shell/leave-guard.tsx';
import { PageHeader, PageSkeleton, usePageTitle } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError, SelectField, TextField } from '../../ui/field.tsx';
import { announce } from '../../ui/toast.tsx';
import { CommandFields } from './command-fields.tsx';
import { MetricFields } from './metric-fields.tsx';
import { SlotFields } from './slot-fields.tsx';
import {
  type Template,
  templateCreateDocument,
  templateDocument,
  templateUpdateDocument,
} from './template-documents.ts';
import {
  fieldOf,
  type TemplateValues,
  templateRules,
  toDefinition,
  toTemplateValues,
} from './template-form.ts';
import { categoryNames, enforcementNames, templatePath } from './template-names.ts';
import { TransportFields } from './transport-fields.tsx';

/** Makes a template of the tenant's own. */
export function NewTemplate() {
  return <Guarded title="New template">{() => <Editor template={undefined} />}</Guarded>;
}

/** Changes a template of the tenant's own. */
export function EditTemplate() {
  const { key = '' } = useParams();
  const [{ data, fetching }] = useQuery({
    query: templateDocument,
    variables: { key },
    requestPolicy: 'network-only',
  });
  if (fetching) return <PageSkeleton />;
  const template = data?.template;
  if (!template || template.source === 'SYSTEM') {
    return (
      <EmptyState
        page
        icon={Lock}
        title="Nothing to change here"
        action={
          <Link to={template ? templatePath(key) : '/templates'} className={buttonClass('plain')}>
            {template ? 'See the template' : 'All templates'}
          </Link>
        }
      >
        {template ? 'It belongs to the platform. Copy it to change the copy.' : 'There is no such template.'}
      </EmptyState>
    );
  }
  return <Guarded title="Edit template">{() => <Editor template={template} />}</Guarded>;
}

function Guarded({ title, children }: { title: string; children: () => ReactNode }) {
  const { viewer } = useAccount();
  usePageTitle(title);
  if (mayWriteDevices(viewer.role)) return children();
  return (
    <>
      <PageHeader title={title} />
      <EmptyState icon={Lock} title="Your role does not allow this">
        An engineer or admin of {viewer.tenant.name} can change templates.
      </EmptyState>
    </>
  );
}

function Editor({ template }: { template: Template | undefined }) {
  const navigate = useNavigate();
  const form = useForm<TemplateValues>({ defaultValues: toTemplateValues(template) });
  const [, create] = useMutation(templateCreateDocument);
  const [, update] = useMutation(templateUpdateDocument);
  const { errors, isSubmitting, isDirty } = form.formState;
  const guard = useLeaveGuard(isDirty, 'What you changed in this template is not saved.');
  const send = async (values: TemplateValues) => {
    const said = { name: values.name.trim(), description: values.description.trim() };
    const definition = toDefinition(values);
    if (template) {
      const input = { id: template.id, expectedVersion: template.version, ...said, definition };
      const { data, error } = await update({ input });
      return { result: data?.templateUpdate, error };
    }
    const input = { key: values.key.trim(), category: values.category, ...said, definition };
    const { data, error } = await create({ input });
    return { result: data?.templateCreate, error };
  };
  const place = (error: UserErrorLike) => {
    const issues = error.issues?.length ? error.issues : [{ path: error.path ?? [], message: error.message }];
    const elsewhere: string[] = [];
    let focused = false;
    for (const { path, message } of issues) {
      const field = fieldOf(path);
      if (field === undefined) {
        elsewhere.push(message);
        continue;
      }
      form.setError(field as FieldPath<TemplateValues>, { message }, { shouldFocus: !focused });
      focused = true;
    }
    const rest = elsewhere.length > 0 ? elsewhere : ['Some fields need another look.'];
    form.setError('root', { message: rest.join(' ') });
  };
  const save = form.handleSubmit(async (values) => {
    const { result, error } = await send(values);
    if (!result) form.setError('root', { message: failureText(result, error) });
    else if ('template' in result) {
      announce(`${result.template.name} is saved as version ${result.template.version}.`);
      guard.release();
      navigate(templatePath(result.template.key));
    } else place(result);
  });
  return (
    <FormProvider {...form}>
      <form onSubmit={save} noValidate className="flex min-h-0 flex-1 flex-col">
        <div className="relative min-h-0 flex-1 overflow-y-auto">
          <Heading template={template} />
          <div className="flex max-w-5xl flex-col gap-5 px-4 pt-3 pb-8 sm:px-5">
            <Identity isNew={template === undefined} />
            <MetricFields />
            <CommandFields />
            <SlotFields />
            <TransportFields />
            <Expectations />
          </div>
        </div>
        <footer className="flex shrink-0 flex-wrap items-center justify-end gap-2 border-line border-t px-4 py-3 sm:px-5">
          <div className="min-w-0 flex-1">
            <FormError message={errors.root?.message} />
          </div>
          <Link to={template ? templatePath(template.key) : '/templates'} className={buttonClass('plain')}>
            Cancel
          </Link>
          <Button look="primary" type="submit" disabled={isSubmitting}>
            {isSubmitting ? 'Saving…' : 'Save'}
          </Button>
        </footer>
      </form>
      {guard.dialog}
    </FormProvider>
  );
}

function Heading({ template }: { template: Template | undefined }) {
  return (
    <header className="px-4 pt-3 sm:px-5">
      <nav aria-label="Breadcrumb" className="flex items-center gap-1 text-ink-3 text-sm">
        <Link to="/templates" className="rounded-sm hover:text-ink hover:underline">
          Templates
        </Link>
        {template && (
          <>
            <ChevronRight aria-hidden="true" className="size-3.5" />
            <Link
              to={templatePath(template.key)}
              className="truncate rounded-sm font-mono text-xs hover:underline"
            >
              {template.key}
            </Link>
          </>
        )}
      </nav>
      <h1 className="font-semibold text-xl">{template ? `Edit ${template.name}` : 'New template'}</h1>
      {template && template.deviceCount + template.moduleCount > 0 && (
        <p className="max-w-2xl text-ink-2 text-sm">
          It is in use: what you change becomes version {template.version + 1}, and what is made of it stays
          with its version until you migrate it.
        </p>
      )}
    </header>
  );
}

function Identity({ isNew }: { isNew: boolean }) {
  const { register, formState } = useFormContext<TemplateValues>();
  const { errors } = formState;
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {isNew && (
        <TextField
          label="Key"
          mono
          hint="Letters a to z, digits and dashes; never changes."
          error={errors.key?.message}
          {...register('key', { validate: templateRules.needed })}
        />
      )}
      {isNew && (
        <SelectField label="Category" error={errors.category?.message} {...register('category')}>
          {Object.entries(categoryNames).map(([value, name]) => (
            <option key={value} value={value}>
              {name}
            </option>
          ))}
        </SelectField>
      )}
      <TextField
        label="Name"
        error={errors.name?.message}
        {...register('name', { validate: templateRules.needed })}
      />
      <TextField
        label="Description"
        optional
        error={errors.description?.message}
        {...register('description')}
      />
    </div>
  );
}

function Expectations() {
  const { register, formState } = useFormContext<TemplateValues>();
  const { errors } = formState;
  const choices = Object.entries(enforcementNames).map(([value, name]) => (
    <option key={value} value={value}>
      {name}
    </option>
  ));
  return (
    <section className="rounded-lg border border-line bg-surface shadow-1">
      <h2 className="border-line border-b px-3.5 py-2.5 font-semibold">What is expected</h2>
      <div className="grid gap-4 p-3.5 sm:grid-cols-2">
        <SelectField
          label="Metrics that are not named above"
          hint="Quarantined readings can be fixed and replayed."
          {...register('unknownMetrics')}
        >
          {choices}
        </SelectField>
        <SelectField
          label="Values that are not as said above"
          hint="Of another type, out of range, or not among the values."
          {...register('invalidValues')}
        >
          {choices}
        </SelectField>
        <TextField
          label="Seconds between two messages"
          optional
          inputMode="numeric"
          hint="60 by default; a device that is later than that is stale."
          error={errors.expectedIntervalSeconds?.message}
          {...register('expectedIntervalSeconds', { validate: templateRules.seconds })}
        />
        <label className="flex items-start gap-2 text-sm sm:pt-6">
          <input type="checkbox" className="mt-0.5 size-4 accent-accent" {...register('discoverSensors')} />
          <span>Metrics that nobody modelled become sensors by themselves</span>
        </label>
      </div>
    </section>
  );
}
