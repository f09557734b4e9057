import type { Client, CombinedError } from 'urql';
import type { UserErrorLike } from '../../data/form-errors.ts';
import type { DeviceStatus, DeviceTarget } from '../../generated/graphql.ts';
import {
  type BulkError,
  commandSendManyDocument,
  devicesAddToGroupDocument,
  devicesSetSiteDocument,
  devicesSetStatusDocument,
  devicesTagDocument,
  devicesUntagDocument,
} from './bulk-documents.ts';

export const bulkActions = ['TAG', 'UNTAG', 'SITE', 'STATUS', 'GROUP', 'COMMAND'] as const;
export type BulkAction = (typeof bulkActions)[number];

export const bulkNames: Record<BulkAction, string> = {
  TAG: 'Tag',
  UNTAG: 'Untag',
  SITE: 'Set site',
  STATUS: 'Set status',
  GROUP: 'Add to group',
  COMMAND: 'Send a command',
};

/** What the form of an action asked for. `value` is a key of a site or group, a status or the type of a command; empty: none. */
export type BulkValues = {
  readonly tags: readonly string[];
  readonly value: string;
  /** Of a command. */
  readonly params: Readonly<Record<string, unknown>>;
  readonly expiresInSeconds: number;
};

export type BulkSuccess = {
  readonly matched: number;
  readonly changed: number;
  readonly failed: number;
  readonly errors: readonly BulkError[];
  readonly job: { readonly id: string } | null;
};
export type BulkAnswer = {
  readonly success: BulkSuccess | undefined;
  readonly failure: UserErrorLike | undefined;
  readonly error: CombinedError | undefined;
};

type Outcome = BulkSuccess | UserErrorLike;
const isSuccess = (outcome: Outcome): outcome is BulkSuccess => 'matched' in outcome;

/** Does an action to all devices of a target, or only says what it would do. */
export async function runBulk(
  client: Client,
  action: BulkAction,
  { tags, value, params, expiresInSeconds }: BulkValues,
  { target, dryRun }: { readonly target: DeviceTarget; readonly dryRun: boolean },
): Promise<BulkAnswer> {
  const common = { target, dryRun };
  const answer = ({
    data,
    error,
  }: {
    data?: { outcome: Outcome } | undefined;
    error?: CombinedError | undefined;
  }) => {
    const outcome = data?.outcome;
    return {
      success: outcome && isSuccess(outcome) ? outcome : undefined,
      failure: outcome && !isSuccess(outcome) ? outcome : undefined,
      error,
    };
  };
  switch (action) {
    case 'TAG':
      return answer(await client.mutation(devicesTagDocument, { input: { ...common, tags: [...tags] } }));
    case 'UNTAG':
      return answer(await client.mutation(devicesUntagDocument, { input: { ...common, tags: [...tags] } }));
    case 'SITE': {
      const input = { ...common, siteKey: value === '' ? null : value };
      return answer(await client.mutation(devicesSetSiteDocument, { input }));
    }
    case 'STATUS': {
      const status: DeviceStatus = value === 'DISABLED' ? 'DISABLED' : 'ACTIVE';
      return answer(await client.mutation(devicesSetStatusDocument, { input: { ...common, status } }));
    }
    case 'GROUP':
      return answer(
        await client.mutation(devicesAddToGroupDocument, { input: { ...common, groupKey: value } }),
      );
    case 'COMMAND': {
      const input = { ...common, type: value, params, expiresInSeconds };
      return answer(await client.mutation(commandSendManyDocument, { input }));
    }
  }
}

/** `412 match · 400 would change · 2 cannot` */
export const summarise = (
  action: BulkAction,
  { matched, changed, failed }: BulkSuccess,
  dryRun: boolean,
): string =>
  [
    `${matched.toLocaleString()} ${matched === 1 ? 'device' : 'devices'}`,
    `${changed.toLocaleString()} ${dryRun ? `would ${action === 'COMMAND' ? 'be told' : 'change'}` : 'changed'}`,
    ...(failed > 0 ? [`${failed.toLocaleString()} cannot`] : []),
  ].join(' · ');
