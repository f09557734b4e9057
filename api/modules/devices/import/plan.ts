import { isDeepStrictEqual } from 'node:util';
import type { DeviceRow, RowIssue } from './rows.ts';

/** What to do with a row whose device exists. */
export type Existing = 'SKIP' | 'FAIL' | 'UPDATE';

/** A device as it is, as far as a plan needs it. */
export interface KnownDevice {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly status: 'ACTIVE' | 'DISABLED' | 'DECOMMISSIONED';
  readonly siteId: number | null;
  readonly tags: readonly string[];
  readonly attributes: unknown;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly serialNumber: string | null;
  readonly model: string | null;
  readonly expectedIntervalSeconds: number;
}

/** The columns of a device that an import may set. */
export type DeviceState = Omit<KnownDevice, 'id' | 'status'>;

export interface ImportPlan {
  readonly create: readonly DeviceState[];
  readonly update: readonly { readonly before: KnownDevice; readonly after: DeviceState }[];
  /** They exist, and stay as they are. */
  readonly keep: readonly KnownDevice[];
  readonly issues: readonly RowIssue[];
}

/** What would become of each row, given what there is. Empty cells leave what an existing device has. */
export function planImport(
  rows: readonly DeviceRow[],
  known: ReadonlyMap<string, KnownDevice>,
  siteIds: ReadonlyMap<string, number>,
  existing: Existing,
): ImportPlan {
  const create: DeviceState[] = [];
  const update: { before: KnownDevice; after: DeviceState }[] = [];
  const keep: KnownDevice[] = [];
  const issues: RowIssue[] = [];
  for (const { row, device } of rows) {
    const { key, siteKey } = device;
    const siteId = siteKey == null ? undefined : siteIds.get(siteKey);
    if (siteKey != null && siteId === undefined) {
      const message = `there is no site with the key ${siteKey}`;
      issues.push({ row, key, column: 'site', code: 'UNKNOWN_SITE', message });
      continue;
    }
    const before = known.get(key);
    if (!before) {
      create.push(stateOf(device, siteId, NEW));
      continue;
    }
    const refused = refusal(before, existing);
    if (refused) {
      issues.push({ row, key, column: 'key', ...refused });
      continue;
    }
    const after = stateOf(device, siteId, before);
    if (existing === 'UPDATE' && differs(before, after)) update.push({ before, after });
    else keep.push(before);
  }
  return { create, update, keep, issues };
}

function refusal(
  { status }: KnownDevice,
  existing: Existing,
): { readonly code: string; readonly message: string } | undefined {
  if (status === 'DECOMMISSIONED')
    return { code: 'DECOMMISSIONED', message: 'the device of that key is decommissioned' };
  return existing === 'FAIL'
    ? { code: 'EXISTS', message: 'there is a device of that key already' }
    : undefined;
}

const NEW: Omit<DeviceState, 'key' | 'name'> = {
  ...{ siteId: null, tags: [], attributes: {}, latitude: null, longitude: null },
  ...{ serialNumber: null, model: null, expectedIntervalSeconds: 60 },
};

function stateOf(
  device: DeviceRow['device'],
  siteId: number | undefined,
  base: Omit<DeviceState, 'key' | 'name'> & { readonly name?: string },
): DeviceState {
  return {
    key: device.key,
    name: device.name ?? base.name ?? device.key,
    siteId: siteId ?? base.siteId,
    tags: device.tags ?? base.tags,
    attributes: device.attributes ?? base.attributes,
    latitude: device.location?.latitude ?? base.latitude,
    longitude: device.location?.longitude ?? base.longitude,
    serialNumber: device.serialNumber ?? base.serialNumber,
    model: device.model ?? base.model,
    expectedIntervalSeconds: device.expectedIntervalSeconds ?? base.expectedIntervalSeconds,
  };
}

const differs = (before: DeviceState, after: DeviceState): boolean => {
  const was = new Map(Object.entries(before));
  return Object.entries(after).some(([name, value]) => !isDeepStrictEqual(value, was.get(name)));
};
