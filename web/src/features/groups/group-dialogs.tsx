import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { failureText, showFailure } from '../../data/failures.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SelectField, TextAreaField, TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import { FilterEditor } from './filter-editor.tsx';
import {
  type Group,
  groupAddDevicesDocument,
  groupCreateDocument,
  groupDeleteDocument,
  groupUpdateDocument,
} from './group-documents.ts';
import { moreRule, splitList, toFilter, toFilterValues } from './group-form.ts';

type GroupValues = {
  readonly key: string;
  readonly name: string;
  readonly description: string;
  readonly kind: Group['kind'];
};
const groupFields = ['key', 'name', 'description'] as const;

type GroupDrawerProps = { group?: Group; onDone: (group: Group) => void; onClose: () => void };

/** Makes a group, or changes the one given. */
export function GroupDrawer({ group, onDone, onClose }: GroupDrawerProps) {
  const form = useForm<GroupValues>({
    defaultValues: {
      ...{ key: group?.key ?? '', name: group?.name ?? '', description: group?.description ?? '' },
      kind: group?.kind ?? 'STATIC',
    },
  });
  const [filter, setFilter] = useState(() => toFilterValues(group?.filter));
  const [, create] = useMutation(groupCreateDocument);
  const [, update] = useMutation(groupUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const dynamic = form.watch('kind') === 'DYNAMIC';
  const send = async ({ key, name, description }: GroupValues) => {
    const said = {
      description: description.trim(),
      ...(name.trim() !== '' && { name: name.trim() }),
      ...(dynamic && { filter: toFilter(filter) }),
    };
    if (!group) {
      const { data, error } = await create({ input: { key: key.trim(), ...said } });
      return { result: data?.groupCreate, error };
    }
    const { data, error } = await update({
      input: { id: group.id, expectedVersion: group.version, ...said },
    });
    return { result: data?.groupUpdate, error };
  };
  const save = form.handleSubmit(async (values) => {
    if (dynamic && moreRule(filter.more) !== true) return;
    const { result, error } = await send(values);
    if (result && 'group' in result) {
      announce(`${result.group.name} is saved.`);
      onDone(result.group);
      onClose();
    } else showFailure({ failure: result, error }, { fields: groupFields, setError: form.setError });
  });
  return (
    <FormDrawer
      title={group ? 'Edit group' : 'New group'}
      description={group && <span className="font-mono">{group.key}</span>}
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {!group && (
        <TextField
          label="Key"
          mono
          autoFocus
          hint="Names the group in filters and targets; never changes."
          error={errors.key?.message}
          {...form.register('key', { required: 'A group needs a key.' })}
        />
      )}
      <TextField label="Name" optional={!group} error={errors.name?.message} {...form.register('name')} />
      <TextField
        label="Description"
        optional
        error={errors.description?.message}
        {...form.register('description')}
      />
      {!group && (
        <SelectField label="Its devices are" {...form.register('kind')}>
          <option value="STATIC">chosen one by one</option>
          <option value="DYNAMIC">whatever meets some conditions</option>
        </SelectField>
      )}
      {dynamic && <FilterEditor values={filter} onChange={setFilter} />}
    </FormDrawer>
  );
}

type DialogProps = { group: Group; onDone: () => void; onClose: () => void };

export function DeleteGroup({ group, onDone, onClose }: DialogProps) {
  const [, remove] = useMutation(groupDeleteDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: group.id, expectedVersion: group.version } });
    const result = data?.groupDelete;
    if (result?.__typename !== 'GroupDeleteSuccess')
      return failureText(result && 'message' in result ? result : undefined, error);
    announce(`${group.name} is deleted.`);
    onDone();
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Delete ${group.name}?`}
      description="Its devices stay as they are."
      action="Delete"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}

type KeysValues = { readonly keys: string };

/** Puts devices into a static group by their keys. */
export function AddDevices({ group, onDone, onClose }: DialogProps) {
  const form = useForm<KeysValues>({ defaultValues: { keys: '' } });
  const [, add] = useMutation(groupAddDevicesDocument);
  const { errors, isSubmitting } = form.formState;
  const save = form.handleSubmit(async ({ keys }) => {
    const wanted = splitList(keys);
    const { data, error } = await add({ input: { id: group.id, target: { where: { keys: wanted } } } });
    const result = data?.groupAddDevices;
    if (result?.__typename !== 'GroupAddDevicesSuccess') {
      return showFailure({ failure: result, error }, { fields: ['keys'], setError: form.setError });
    }
    onDone();
    if (result.matched < wanted.length) {
      const missing = wanted.length - result.matched;
      return form.setError('keys', {
        message: `${missing} of these keys ${missing === 1 ? 'is' : 'are'} no device of this tenant; the others are in the group.`,
      });
    }
    announce(`${result.changed} ${result.changed === 1 ? 'device' : 'devices'} came into ${group.name}.`);
    onClose();
  });
  return (
    <FormDrawer
      title="Add devices"
      description={`To ${group.name}.`}
      action="Add"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <TextAreaField
        label="Keys of devices"
        rows={8}
        autoFocus
        hint="Separated by commas or lines. In the list of devices, whole selections go into a group."
        error={errors.keys?.message}
        {...form.register('keys', {
          validate: (text) => splitList(text).length > 0 || 'Name at least one device.',
        })}
      />
    </FormDrawer>
  );
}
