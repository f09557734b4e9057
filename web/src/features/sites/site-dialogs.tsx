import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { failureText, showFailure } from '../../data/failures.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import {
  type SiteRow,
  siteCreateDocument,
  siteDeleteDocument,
  siteUpdateDocument,
} from './site-documents.ts';
import {
  renamedSiteFields,
  type SiteValues,
  siteFields,
  siteRules,
  toSiteCreate,
  toSiteUpdate,
  toSiteValues,
} from './site-form.ts';

type DialogProps = { onDone: () => void; onClose: () => void };

/** Makes a site, or changes the one given. */
export function SiteDrawer({ site, onDone, onClose }: DialogProps & { site?: SiteRow }) {
  const form = useForm<SiteValues>({ defaultValues: toSiteValues(site) });
  const [, create] = useMutation(siteCreateDocument);
  const [, update] = useMutation(siteUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const send = async (values: SiteValues) => {
    if (site) {
      const { data, error } = await update({ input: toSiteUpdate(values, site) });
      return { result: data?.siteUpdate, error };
    }
    const { data, error } = await create({ input: toSiteCreate(values) });
    return { result: data?.siteCreate, error };
  };
  const save = form.handleSubmit(async (values) => {
    const { result, error } = await send(values);
    if (result && 'site' in result) {
      announce(`${result.site.name} is saved.`);
      onDone();
      onClose();
    } else
      showFailure(
        { failure: result, error },
        { fields: siteFields, rename: renamedSiteFields, setError: form.setError },
      );
  });
  return (
    <FormDrawer
      title={site ? 'Edit site' : 'New site'}
      description={site && <span className="font-mono">{site.key}</span>}
      action={isSubmitting ? 'Saving…' : 'Save'}
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      {!site && (
        <TextField
          label="Key"
          mono
          autoFocus
          hint="Names the site in filters and imports; never changes."
          error={errors.key?.message}
          {...form.register('key', { required: 'A site needs a key.' })}
        />
      )}
      <TextField label="Name" optional={!site} error={errors.name?.message} {...form.register('name')} />
      <TextField label="Address" optional error={errors.address?.message} {...form.register('address')} />
      <TextField
        label="Time zone"
        hint="IANA name, for example Europe/Vienna."
        error={errors.timezone?.message}
        {...form.register('timezone')}
      />
      <div className="grid grid-cols-2 gap-3">
        <TextField
          label="Latitude"
          optional
          inputMode="decimal"
          error={errors.latitude?.message}
          {...form.register('latitude', { validate: siteRules.latitude })}
        />
        <TextField
          label="Longitude"
          optional
          inputMode="decimal"
          error={errors.longitude?.message}
          {...form.register('longitude', { validate: siteRules.longitude })}
        />
      </div>
    </FormDrawer>
  );
}

/** Deletes a site, which the API refuses while devices are there. */
export function DeleteSite({ site, onDone, onClose }: DialogProps & { site: SiteRow }) {
  const [, remove] = useMutation(siteDeleteDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: site.id, expectedVersion: site.version } });
    const result = data?.siteDelete;
    if (result?.__typename === 'SiteDeleteSuccess') {
      announce(`${site.name} is deleted.`);
      onDone();
      return undefined;
    }
    return failureText(result, error);
  };
  return (
    <ConfirmDialog
      title={`Delete ${site.name}?`}
      description="Only a site without devices can be deleted. Decommissioned ones are at no site afterwards."
      action="Delete"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
