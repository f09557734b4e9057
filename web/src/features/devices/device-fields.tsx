import type { UseFormReturn } from 'react-hook-form';
import { useQuery } from 'urql';
import { SelectField, TextAreaField, TextField } from '../../ui/field.tsx';
import { type DeviceValues, deviceRules } from './device-form.ts';
import { siteListDocument } from './site-list.ts';

type DeviceFieldsProps = { form: UseFormReturn<DeviceValues> };

/** What a device is called and where it belongs. */
export function IdentityFields({ form }: DeviceFieldsProps) {
  const { errors } = form.formState;
  const [{ data }] = useQuery({ query: siteListDocument });
  const sites = data?.sites.nodes ?? [];
  const chosen = form.getValues('siteKey');
  return (
    <>
      <TextField
        label="Name"
        optional
        error={errors.name?.message}
        hint="For people. The key, if empty."
        {...form.register('name')}
      />
      <SelectField
        label="Site"
        optional
        error={errors.siteKey?.message}
        {...form.register('siteKey')}
        key={sites.length}
      >
        <option value="">No site</option>
        {chosen !== '' && !sites.some((site) => site.key === chosen) && (
          <option value={chosen}>{chosen}</option>
        )}
        {sites.map((site) => (
          <option key={site.id} value={site.key}>
            {site.name}
          </option>
        ))}
      </SelectField>
      <TextField
        label="Tags"
        optional
        error={errors.tags?.message}
        hint="Separated by commas."
        {...form.register('tags')}
      />
    </>
  );
}

/** What is known of the thing itself. */
export function HardwareFields({ form }: DeviceFieldsProps) {
  const { errors } = form.formState;
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2">
        <TextField label="Model" optional error={errors.model?.message} {...form.register('model')} />
        <TextField
          label="Serial number"
          optional
          mono
          error={errors.serialNumber?.message}
          {...form.register('serialNumber')}
        />
      </div>
      <TextField
        label="Expected interval"
        optional
        inputMode="numeric"
        error={errors.interval?.message}
        hint="Seconds between two messages. Later than that, the device counts as stale."
        {...form.register('interval', { validate: deviceRules.interval })}
      />
      <div className="grid grid-cols-2 gap-4">
        <TextField
          label="Latitude"
          optional
          inputMode="decimal"
          error={errors.latitude?.message}
          {...form.register('latitude', { validate: deviceRules.latitude, deps: ['longitude'] })}
        />
        <TextField
          label="Longitude"
          optional
          inputMode="decimal"
          error={errors.longitude?.message}
          {...form.register('longitude', { validate: deviceRules.longitude, deps: ['latitude'] })}
        />
      </div>
      <TextAreaField
        label="Attributes"
        optional
        rows={4}
        error={errors.attributes?.message}
        hint="A JSON object with whatever you want to know about this device."
        {...form.register('attributes', { validate: deviceRules.attributes })}
      />
    </>
  );
}
