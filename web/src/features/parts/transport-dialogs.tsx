import { useForm } from 'react-hook-form';
import { useMutation } from 'urql';
import { failureText, showFailure } from '../../data/failures.ts';
import { readJsonObject } from '../../data/json-diff.ts';
import type { TransportLink, TransportProtocol } from '../../generated/graphql.ts';
import { CheckField } from '../../ui/check-field.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SelectField, TextAreaField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { announce } from '../../ui/toast.tsx';
import { linkNames, protocolNames } from '../templates/template-names.ts';
import {
  type DeviceParts,
  type Transport,
  transportCreateDocument,
  transportDeleteDocument,
  transportUpdateDocument,
} from './parts-documents.ts';

type TransportValues = {
  readonly protocol: TransportProtocol;
  readonly link: TransportLink | '';
  readonly settings: string;
  readonly isPrimary: boolean;
};

const transportFields = ['protocol', 'link', 'settings', 'isPrimary'] as const;
const protocols = Object.keys(protocolNames) as TransportProtocol[];
const links = Object.keys(linkNames) as TransportLink[];

const settingsOf = (text: string) => readJsonObject(text.trim() === '' ? '{}' : text);

const toValues = (transport: Transport | undefined): TransportValues => ({
  protocol: transport?.protocol ?? 'MQTT',
  link: transport?.link ?? '',
  settings:
    transport && Object.keys(Object(transport.settings)).length > 0
      ? JSON.stringify(transport.settings, null, 2)
      : '',
  isPrimary: transport?.isPrimary ?? false,
});

type TransportDrawerProps = { device: DeviceParts; transport?: Transport; onClose: () => void };

/** Says by which way a device speaks. */
export function TransportDrawer({ device, transport, onClose }: TransportDrawerProps) {
  const form = useForm<TransportValues>({ defaultValues: toValues(transport) });
  const [, create] = useMutation(transportCreateDocument);
  const [, update] = useMutation(transportUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const send = async ({ protocol, link, settings, isPrimary }: TransportValues) => {
    const read = settingsOf(settings);
    const said = {
      ...{ protocol, link: link === '' ? null : link },
      settings: 'value' in read ? read.value : {},
      // There is always one first way: it changes by making another one the first.
      ...(isPrimary && { isPrimary }),
    };
    if (!transport) {
      const { data, error } = await create({ input: { deviceId: device.id, ...said } });
      return { result: data?.transportCreate, error };
    }
    const { data, error } = await update({
      input: { id: transport.id, expectedVersion: device.version, ...said },
    });
    return { result: data?.transportUpdate, error };
  };
  const save = form.handleSubmit(async (values) => {
    const { result, error } = await send(values);
    if (result && 'device' in result) {
      announce('The transport is saved.');
      onClose();
    } else showFailure({ failure: result, error }, { fields: transportFields, setError: form.setError });
  });
  return (
    <FormDrawer
      title={transport ? 'Edit transport' : 'New transport'}
      description="By which way the device speaks."
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <SelectField label="Protocol" error={errors.protocol?.message} {...form.register('protocol')}>
        {protocols.map((protocol) => (
          <option key={protocol} value={protocol}>
            {protocolNames[protocol]}
          </option>
        ))}
      </SelectField>
      <SelectField label="Link" optional error={errors.link?.message} {...form.register('link')}>
        <option value="">Not said</option>
        {links.map((link) => (
          <option key={link} value={link}>
            {linkNames[link]}
          </option>
        ))}
      </SelectField>
      <TextAreaField
        label="Settings"
        optional
        rows={5}
        hint="A JSON object: an APN, a DevEUI, a bus address. No secrets: whoever sees the device sees them."
        error={errors.settings?.message}
        {...form.register('settings', {
          validate: (text) => {
            const read = settingsOf(text);
            return 'value' in read || read.problem;
          },
        })}
      />
      <CheckField
        label="The first way to reach it"
        disabled={transport?.isPrimary === true}
        {...(transport?.isPrimary ? { hint: 'Make another one the first instead.' } : {})}
        {...form.register('isPrimary')}
      />
    </FormDrawer>
  );
}

type DeleteTransportProps = { transport: Transport; onClose: () => void };

export function DeleteTransport({ transport, onClose }: DeleteTransportProps) {
  const [, remove] = useMutation(transportDeleteDocument);
  const confirm = async () => {
    const { data, error } = await remove({ input: { id: transport.id } });
    const result = data?.transportDelete;
    if (result?.__typename !== 'TransportDeleteSuccess') return failureText(result, error);
    announce('The transport is deleted.');
    return undefined;
  };
  return (
    <ConfirmDialog
      title={`Delete ${protocolNames[transport.protocol]}?`}
      description="What is said of this way is forgotten. The device may still speak by it."
      action="Delete"
      onConfirm={confirm}
      onClose={onClose}
    />
  );
}
