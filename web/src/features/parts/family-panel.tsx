import { useMemo, useState } from 'react';
import { useForm } from 'react-hook-form';
import { Link } from 'react-router';
import { useClient, useMutation } from 'urql';
import { showFailure } from '../../data/failures.ts';
import { createPager } from '../../data/pager.ts';
import { usePager } from '../../data/use-pager.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { Panel } from '../../ui/panel.tsx';
import { StatusBadge } from '../../ui/status.tsx';
import { announce } from '../../ui/toast.tsx';
import { devicePath } from '../devices/device-link.ts';
import { connectivity } from '../devices/presence.ts';
import { type DeviceParts, deviceChildrenDocument, partsUpdateDocument } from './parts-documents.ts';

const pageSize = 20;

/** The gateway that speaks for the device, and the devices that it speaks for itself. */
export function FamilyPanel({ device, mayWrite }: { device: DeviceParts; mayWrite: boolean }) {
  const [editing, setEditing] = useState(false);
  const { parent } = device;
  return (
    <Panel
      title="Gateway"
      actions={
        mayWrite && (
          <Button onClick={() => setEditing(true)}>{parent ? 'Change gateway' : 'Set a gateway'}</Button>
        )
      }
    >
      <div className="divide-y divide-line text-sm">
        <p className="px-3.5 py-2.5 text-ink-2">
          {parent ? (
            <>
              <DeviceLink device={parent} /> speaks for this device.
            </>
          ) : (
            'This device speaks for itself.'
          )}
        </p>
        {device.childCount > 0 && <Children device={device} />}
      </div>
      {editing && <ParentDrawer device={device} onClose={() => setEditing(false)} />}
    </Panel>
  );
}

function DeviceLink({ device }: { device: { readonly key: string; readonly name: string } }) {
  return (
    <Link to={devicePath(device.key)} className="font-medium text-accent hover:underline">
      {device.name}
    </Link>
  );
}

function Children({ device: { key, childCount } }: { device: DeviceParts }) {
  const client = useClient();
  const pager = useMemo(
    () =>
      createPager({
        client,
        document: deviceChildrenDocument,
        variables: (after) => ({ key, first: pageSize, after }),
        read: ({ device }) =>
          device && { ...device.children.pageInfo, nodes: device.children.nodes, totalCount: undefined },
      }),
    [client, key],
  );
  const { nodes, hasMore, loading } = usePager(pager);
  return (
    <div className="px-3.5 py-2.5">
      <h3 className="text-ink-2">
        It speaks for {childCount.toLocaleString()} {childCount === 1 ? 'device' : 'devices'}
      </h3>
      <ul className="mt-1">
        {nodes.map((child) => (
          <li key={child.id} className="flex min-h-8 items-center gap-3">
            <span className="min-w-0 flex-1 truncate">
              <DeviceLink device={child} />
            </span>
            <StatusBadge {...connectivity[child.presence.connection]} axis="Connection" />
          </li>
        ))}
      </ul>
      {hasMore && (
        <Button className="mt-1.5" disabled={loading !== false} onClick={pager.loadMore}>
          Show more
        </Button>
      )}
    </div>
  );
}

type ParentValues = { readonly parentKey: string };

function ParentDrawer({ device, onClose }: { device: DeviceParts; onClose: () => void }) {
  const form = useForm<ParentValues>({ defaultValues: { parentKey: device.parent?.key ?? '' } });
  const [, update] = useMutation(partsUpdateDocument);
  const { errors, isSubmitting } = form.formState;
  const save = form.handleSubmit(async ({ parentKey }) => {
    const key = parentKey.trim();
    const { data, error } = await update({
      input: { id: device.id, expectedVersion: device.version, parentKey: key === '' ? null : key },
    });
    const result = data?.deviceUpdate;
    if (result?.__typename === 'DeviceUpdateSuccess') {
      const { parent } = result.device;
      announce(
        parent ? `${parent.name} speaks for ${device.name} now.` : `${device.name} speaks for itself now.`,
      );
      onClose();
    } else showFailure({ failure: result, error }, { fields: ['parentKey'], setError: form.setError });
  });
  return (
    <FormDrawer
      title="Gateway"
      description="The device that speaks for this one."
      action="Save"
      busy={isSubmitting}
      problem={errors.root?.message}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <TextField
        label="Key of the gateway"
        mono
        autoFocus
        hint="Empty: this device speaks for itself."
        error={errors.parentKey?.message}
        {...form.register('parentKey')}
      />
    </FormDrawer>
  );
}
