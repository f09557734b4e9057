import { type UseFormReturn, useForm } from 'react-hook-form';
import { type CombinedError, useMutation, useQuery } from 'urql';
import { failureText, showFailure } from '../../data/failures.ts';
import type { UserErrorLike } from '../../data/form-errors.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SelectField, TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import { mappingFieldOf } from './metric-map-form.ts';
import {
  choicesFor,
  emptyModule,
  type ModuleValues,
  moduleFields,
  plainMetrics,
  rowOfEntry,
  toModuleInstall,
  toModuleUpdate,
  toModuleValues,
} from './module-form.ts';
import { ModuleMetrics } from './module-metrics.tsx';
import {
  type DeviceParts,
  type Module,
  moduleInstallDocument,
  moduleRemoveDocument,
  moduleUpdateDocument,
  type Slot,
  templateChoicesDocument,
} from './parts-documents.ts';

type Form = UseFormReturn<ModuleValues>;

/** At the fields to blame; what is said of the map, at the row that it is said of. */
function showModuleFailure(
  form: Form,
  failure: UserErrorLike | null | undefined,
  error: CombinedError | undefined,
): void {
  const rows = form.getValues('metricMap');
  const placed = (failure?.issues ?? []).flatMap(({ path, message }) => {
    const [, entry, field] = mappingFieldOf(path)?.split('.') ?? [];
    const row = entry === undefined ? -1 : rowOfEntry(rows, Number(entry));
    const known = (['raw', 'metric', 'scale', 'offset'] as const).find((name) => name === field);
    return row < 0 ? [] : [{ field: `metricMap.${row}.${known ?? 'metric'}` as const, message }];
  });
  if (placed.length === 0) {
    showFailure({ failure, error }, { fields: moduleFields, setError: form.setError });
  }
  for (const { field, message } of placed) form.setError(field, { message });
}

type InstallProps = { device: DeviceParts; slot: Slot; onClose: () => void };

/** Puts a module into a slot. */
export function InstallModule({ device, slot, onClose }: InstallProps) {
  const form = useForm<ModuleValues>({ defaultValues: emptyModule });
  const [{ data, fetching }] = useQuery({ query: templateChoicesDocument });
  const [, install] = useMutation(moduleInstallDocument);
  const choices = choicesFor(slot, data?.templates.nodes ?? []);
  const { errors, isSubmitting } = form.formState;
  const { onChange, ...template } = form.register('templateKey', { required: 'Choose what it is.' });
  const save = form.handleSubmit(async (values) => {
    const { data: answer, error } = await install({ input: toModuleInstall(values, device, slot) });
    const result = answer?.moduleInstall;
    if (result?.__typename === 'ModuleInstallSuccess') {
      announce(`The module is in ${slot.name}.`);
      onClose();
    } else showModuleFailure(form, result, error);
  });
  return (
    <FormDrawer
      title="Install a module"
      description={`Into ${slot.name}.`}
      action="Install"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <SelectField
        label="Template"
        autoFocus
        hint={
          !fetching && choices.length === 0
            ? 'There is no template that fits here. Make one of the kind Sensor or Expansion module.'
            : 'What kind of module it is; only those that fit are listed.'
        }
        error={errors.templateKey?.message}
        {...template}
        onChange={(event) => {
          void onChange(event);
          const chosen = choices.find(({ key }) => key === event.target.value);
          form.setValue('metricMap', plainMetrics(chosen));
        }}
      >
        <option value="">Choose…</option>
        {choices.map(({ key, name }) => (
          <option key={key} value={key}>
            {name}
          </option>
        ))}
      </SelectField>
      <ModuleFields form={form} slot={slot} />
    </FormDrawer>
  );
}

type EditProps = { device: DeviceParts; module: Module; slot: Slot | undefined; onClose: () => void };

/** Changes what is known of a module in its slot. */
export function EditModule({ device, module, slot, onClose }: EditProps) {
  const form = useForm<ModuleValues>({ defaultValues: toModuleValues(module, device) });
  const [, update] = useMutation(moduleUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const save = form.handleSubmit(async (values) => {
    const { data, error } = await update({ input: toModuleUpdate(values, device, module) });
    const result = data?.moduleUpdate;
    if (result?.__typename === 'ModuleUpdateSuccess') {
      announce(`${values.name.trim() || module.name} is saved.`);
      onClose();
    } else showModuleFailure(form, result, error);
  });
  return (
    <FormDrawer
      title="Edit module"
      description={module.name}
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <ModuleFields form={form} slot={slot} />
    </FormDrawer>
  );
}

function ModuleFields({ form, slot }: { form: Form; slot: Slot | undefined }) {
  const { errors } = form.formState;
  return (
    <>
      <TextField
        label="Name"
        optional
        hint="The name of its template, if empty."
        error={errors.name?.message}
        {...form.register('name')}
      />
      <TextField
        label="Serial number"
        optional
        mono
        error={errors.serialNumber?.message}
        {...form.register('serialNumber')}
      />
      <TextField
        label="Bus address"
        optional
        mono
        hint={
          slot && slot.maxDevices > 1
            ? 'What tells it from the others in this slot.'
            : 'What the bus knows it by.'
        }
        error={errors.busAddress?.message}
        {...form.register('busAddress')}
      />
      <ModuleMetrics form={form} />
    </>
  );
}

/** Takes a module out of its slot. */
export function RemoveModule({ module, onClose }: { module: Module; onClose: () => void }) {
  const [, remove] = useMutation(moduleRemoveDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: module.id } });
    const result = data?.moduleRemove;
    if (result?.__typename !== 'ModuleRemoveSuccess') return failureText(result, error);
    announce(`${module.name} is out of its slot.`);
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Take ${module.name} out?`}
      description="Its sensors do not count any more. What they measured stays."
      action="Take out"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
