import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { describeError } from '../../data/client.ts';
import { showErrors, sortErrors } from '../../data/form-errors.ts';
import { Button } from '../../ui/button.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { Drawer } from '../../ui/dialog.tsx';
import { FormError, TextField } from '../../ui/field.tsx';
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
    if (!result) {
      form.setError('root', { message: error ? describeError(error).message : 'Nothing was saved.' });
    } else if ('site' in result) {
      announce(`${result.site.name} is saved.`);
      onDone();
      onClose();
    } else showErrors(sortErrors(result, siteFields, renamedSiteFields), siteFields, form.setError);
  });
  return (
    <Drawer
      open
      onOpenChange={(open) => !open && onClose()}
      title={site ? 'Edit site' : 'New site'}
      description={site && <span className="font-mono">{site.key}</span>}
    >
      <form onSubmit={save} noValidate className="flex min-h-0 flex-1 flex-col">
        <div className="flex min-h-0 flex-1 flex-col gap-4 overflow-y-auto px-5 py-4">
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
          <FormError message={errors.root?.message} />
        </div>
        <footer className="flex justify-end gap-2 border-line border-t px-5 py-3">
          <Button onClick={onClose}>Cancel</Button>
          <Button look="primary" type="submit" disabled={isSubmitting}>
            {isSubmitting ? 'Saving…' : 'Save'}
          </Button>
        </footer>
      </form>
    </Drawer>
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
    return result?.message ?? (error ? describeError(error).message : 'The site was not deleted.');
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
