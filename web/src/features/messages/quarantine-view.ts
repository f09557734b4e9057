import type { QuarantineFilter, QuarantineStatus } from '../../generated/graphql.ts';
import { readChoices, readList, type UrlCodec } from '../../ui/url-state.ts';

export const reasonNames: Readonly<Record<string, string>> = {
  TOO_LARGE: 'Too large',
  BAD_JSON: 'No JSON',
  BAD_SHAPE: 'Wrong shape',
  BAD_KEY: 'Wrong metric key',
  BAD_VALUE: 'Wrong value',
  NO_METRICS: 'No metrics',
  TOO_MANY_METRICS: 'Too many metrics',
  TOO_MANY_READINGS: 'Too many readings',
  BAD_TIMESTAMP: 'Wrong time',
  TOO_OLD: 'Too old',
  IN_FUTURE: 'In the future',
  UNKNOWN_DEVICE: 'Unknown device',
  WRONG_DEVICE: 'Wrong device',
  DEVICE_DISABLED: 'Device disabled',
  DEVICE_DECOMMISSIONED: 'Device decommissioned',
  TENANT_SUSPENDED: 'Tenant suspended',
  UNKNOWN_COMMAND: 'Unknown command',
  NOT_SUPPORTED: 'Not supported',
  UNKNOWN_METRIC: 'Unknown metric',
  WRONG_TYPE: 'Wrong type',
  OUT_OF_RANGE: 'Out of range',
  NOT_IN_ENUM: 'Not among its values',
  METRIC_CLASH: 'Two values for one metric',
  STORE_REJECTED: 'Refused by the database',
};

/** What people call a reason; a code that the console does not know is shown as it is. */
export const reasonOf = (code: string): string => reasonNames[code] ?? code;

export const statusNames: Readonly<Record<QuarantineStatus, string>> = {
  OPEN: 'Open',
  REPLAYING: 'On its way',
  REPLAYED: 'Replayed',
  DISCARDED: 'Discarded',
};
export const statuses = Object.keys(statusNames) as readonly QuarantineStatus[];

/** What the page shows, as the URL keeps it. */
export type QuarantineView = {
  readonly device: string;
  readonly reasons: readonly string[];
  readonly status: readonly QuarantineStatus[];
};

export const emptyQuarantineView: QuarantineView = { device: '', reasons: [], status: [] };

export const quarantineViewCodec: UrlCodec<QuarantineView> = {
  parse: (params) => ({
    device: params.get('device') ?? '',
    reasons: readList(params, 'reason'),
    status: readChoices(params, 'status', statuses),
  }),
  format({ device, reasons, status }) {
    const entries = {
      device: device.trim(),
      reason: [...reasons].sort().join(','),
      status: status.join(',').toLowerCase(),
    };
    return new URLSearchParams(Object.entries(entries).filter(([, value]) => value !== ''));
  },
};

/** The API's filter for a view, without the state. */
export function toTargetFilter({ device, reasons }: QuarantineView): Omit<QuarantineFilter, 'status'> {
  return {
    ...(device.trim() === '' ? {} : { deviceKey: device.trim() }),
    ...(reasons.length > 0 ? { reasons: [...reasons] } : {}),
  };
}

/** The API's filter for a view. */
export function toQuarantineFilter(view: QuarantineView): QuarantineFilter {
  return { ...toTargetFilter(view), ...(view.status.length > 0 ? { status: [...view.status] } : {}) };
}
