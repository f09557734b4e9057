import { Lock } from 'lucide-react';
import { useState } from 'react';
import { useForm } from 'react-hook-form';
import { Link, useSearchParams } from 'react-router';
import { useMutation } from 'urql';
import { mayWriteDevices, useAccount } from '../../auth/viewer.tsx';
import { useAttempt } from '../../data/attempt.ts';
import { failureText } from '../../data/failures.ts';
import { showErrors, sortErrors } from '../../data/form-errors.ts';
import { graphql } from '../../generated/index.ts';
import { PageHeader } from '../../shell/page.tsx';
import { Button, buttonClass } from '../../ui/button.tsx';
import { EmptyState } from '../../ui/empty-state.tsx';
import { FormError, TextField } from '../../ui/field.tsx';
import { TemplatePicker } from '../templates/template-picker.tsx';
import { WhatAppears } from '../templates/what-appears.tsx';
import { type AccessKind, ConnectDevice, type NewDeviceAccess } from './connect-device.tsx';
import { HardwareFields, IdentityFields } from './device-fields.tsx';
import {
  type DeviceValues,
  deviceFields,
  deviceRules,
  emptyDevice,
  renamedFields,
  toCreateInput,
} from './device-form.ts';

const deviceCreateDocument = graphql(`
  mutation DeviceCreate($input: DeviceCreateInput!) {
    deviceCreate(input: $input) {
      __typename
      ... on DeviceCreateSuccess {
        device {
          id
          key
          name
        }
        token {
          username
          secret
        }
      }
      ...Failure
    }
  }
`);

const accessKinds: readonly { readonly value: AccessKind; readonly label: string; readonly hint: string }[] =
  [
    { value: 'token', label: 'Token', hint: 'A password, shown once.' },
    { value: 'claim', label: 'Claim code', hint: 'Typed in on site; the device fetches its credential.' },
    { value: 'generate', label: 'Certificate and key', hint: 'Made here, taken away as a zip.' },
    { value: 'request', label: 'Certificate request', hint: 'The key stays on the device.' },
  ];

/** From a name to the first message: describe the device, receive its token, watch it arrive. */
export function NewDevice() {
  const { viewer } = useAccount();
  const [access, setAccess] = useState<NewDeviceAccess>();
  if (!mayWriteDevices(viewer.role)) {
    return (
      <>
        <PageHeader title="New device" />
        <EmptyState
          icon={Lock}
          title="Your role does not allow this"
          action={
            <Link to="/devices" className={buttonClass('plain')}>
              All devices
            </Link>
          }
        >
          An engineer or admin of {viewer.tenant.name} can add devices.
        </EmptyState>
      </>
    );
  }
  return (
    <div className="relative min-h-0 flex-1 overflow-y-auto">
      <PageHeader title={access ? access.name : 'New device'} />
      <div className="mx-auto max-w-2xl px-4 pb-10 sm:mx-0 sm:px-5">
        {access ? (
          <ConnectDevice access={access} onAnother={() => setAccess(undefined)} />
        ) : (
          <DeviceForm onCreated={setAccess} />
        )}
      </div>
    </div>
  );
}

function DeviceForm({ onCreated }: { onCreated: (access: NewDeviceAccess) => void }) {
  const [params] = useSearchParams();
  const form = useForm<DeviceValues>({
    defaultValues: { ...emptyDevice, templateKey: params.get('template') ?? '' },
  });
  const templateKey = form.watch('templateKey');
  const [kind, setKind] = useState<AccessKind>('token');
  const attempt = useAttempt();
  const [, create] = useMutation(deviceCreateDocument);
  const { errors, isSubmitting } = form.formState;
  const submit = form.handleSubmit(async (values) => {
    const input = { ...toCreateInput(values), withToken: kind === 'token' };
    const { clientMutationId } = attempt.at(input);
    const { data, error } = await create({ input: { ...input, clientMutationId } });
    attempt.answered(error);
    const result = data?.deviceCreate;
    if (result?.__typename === 'DeviceCreateSuccess') {
      onCreated({ ...result.device, kind, templateKey, token: result.token ?? null });
      return;
    }
    if (!result) {
      form.setError('root', { message: failureText(undefined, error) });
      return;
    }
    const messages = sortErrors(result, deviceFields, renamedFields);
    const conflict =
      result.__typename === 'ConflictError' && messages.every(({ field }) => field === undefined);
    showErrors(
      conflict ? [{ field: 'key', message: result.message }] : messages,
      deviceFields,
      form.setError,
    );
  });
  return (
    <form
      onSubmit={submit}
      noValidate
      className="flex flex-col gap-4 rounded-lg border border-line bg-surface p-4 shadow-1 sm:p-5"
    >
      <TextField
        label="Key"
        mono
        autoFocus
        required
        error={errors.key?.message}
        hint="What the device is called on the wire: part of its topic and user name. It cannot be changed later."
        placeholder="boiler-room-1"
        {...form.register('key', { validate: deviceRules.key })}
      />
      <TemplatePicker
        value={templateKey}
        error={errors.templateKey?.message}
        onChange={(key) => {
          form.setValue('templateKey', key);
          form.clearErrors('templateKey');
        }}
      />
      {templateKey !== '' && <WhatAppears templateKey={templateKey} />}
      <IdentityFields form={form} />
      <fieldset>
        <legend className="mb-1 font-medium text-sm">How it proves who it is</legend>
        <div className="grid gap-2 sm:grid-cols-2">
          {accessKinds.map(({ value, label, hint }) => (
            <label
              key={value}
              className="flex cursor-pointer items-start gap-2.5 rounded-md border border-line px-3 py-2 has-checked:border-accent has-checked:bg-accent-soft"
            >
              <input
                type="radio"
                name="access"
                className="mt-1 accent-accent"
                checked={kind === value}
                onChange={() => setKind(value)}
              />
              <span>
                <span className="block font-medium text-sm">{label}</span>
                <span className="block text-ink-2 text-xs">{hint}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <details className="group">
        <summary className="w-fit cursor-pointer rounded-sm font-medium text-accent text-sm">
          More about this device
        </summary>
        <div className="mt-4 flex flex-col gap-4">
          <TextField
            label="Gateway"
            optional
            mono
            error={errors.parentKey?.message}
            hint="Key of the device that speaks for this one, if it does not speak for itself."
            {...form.register('parentKey')}
          />
          <HardwareFields form={form} />
        </div>
      </details>
      <FormError message={errors.root?.message} />
      <div className="flex justify-end gap-2 border-line border-t pt-4">
        <Link to="/devices" className={buttonClass('plain')}>
          Cancel
        </Link>
        <Button look="primary" type="submit" disabled={isSubmitting}>
          {isSubmitting ? 'Creating…' : 'Create device'}
        </Button>
      </div>
    </form>
  );
}
