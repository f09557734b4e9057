import { useEffect, useRef, useState } from 'react';
import type { Client, OperationResult } from 'urql';
import { describeError } from '../../data/client.ts';
import type { DeviceFilter, OutdatedDevicesQuery } from '../../generated/graphql.ts';
import { outdatedDevicesDocument, templateMigrateDocument } from './migration-documents.ts';

/** Devices that move in one request. */
const batchSize = 100;

/** How far a move of devices to another version is. */
export type MigrationProgress = {
  readonly running: boolean;
  readonly total: number;
  readonly moved: number;
  /** Devices that stay, each with all that is in the way. */
  readonly refused: readonly { readonly key: string; readonly message: string }[];
  /** Why it ended before its end; what has moved has moved. */
  readonly problem: string | undefined;
};

export type MigrationOrder = {
  readonly templateKey: string;
  readonly fromVersion: number;
  readonly toVersion: number;
  readonly total: number;
};

type Migration = {
  readonly progress: MigrationProgress | undefined;
  start(order: MigrationOrder): void;
  /** Ends it after the batch that is under way. */
  stop(): void;
};

/** Moves every device of one version to another, batch by batch. Leaving the page ends it after the batch under way. */
export function useMigration(client: Client, onSettled: () => void): Migration {
  const [progress, setProgress] = useState<MigrationProgress>();
  const current = useRef<AbortController>(undefined);
  useEffect(() => () => current.current?.abort(), []);
  return {
    progress,
    start(order) {
      current.current?.abort();
      const control = new AbortController();
      current.current = control;
      void migrate(client, order, control.signal, setProgress).then(onSettled);
    },
    stop: () => current.current?.abort(),
  };
}

/** Never rejects: what goes wrong stands in the progress. */
async function migrate(
  client: Client,
  { templateKey, fromVersion, toVersion, total }: MigrationOrder,
  signal: AbortSignal,
  report: (progress: MigrationProgress) => void,
): Promise<void> {
  let progress: MigrationProgress = { running: true, total, moved: 0, refused: [], problem: undefined };
  const tell = (change: Partial<MigrationProgress>) => {
    progress = { ...progress, ...change };
    report(progress);
  };
  tell({});
  const where: DeviceFilter = {
    ...{ templateKeys: [templateKey], templateVersions: [fromVersion] },
    statuses: ['ACTIVE', 'DISABLED'],
  };
  let after: string | null = null;
  while (!signal.aborted) {
    const page: OperationResult<OutdatedDevicesQuery> = await client.query(
      outdatedDevicesDocument,
      { first: batchSize, after, where },
      { requestPolicy: 'network-only' },
    );
    if (!page.data) return tell({ running: false, problem: problemOf(page.error) });
    const { nodes, pageInfo } = page.data.devices;
    if (nodes.length > 0) {
      const ids = nodes.map(({ id }) => id);
      const input = { templateKey, toVersion, target: { ids } };
      const { data, error } = await client.mutation(templateMigrateDocument, { input });
      const result = data?.templateMigrate;
      if (result?.__typename !== 'TemplateMigrateSuccess')
        return tell({ running: false, problem: result?.message ?? problemOf(error) });
      const refused = result.errors.map(({ deviceId, device, message }) => ({
        ...{ key: device?.key ?? deviceId, message },
      }));
      tell({ moved: progress.moved + result.changed, refused: [...progress.refused, ...refused] });
    }
    if (!pageInfo.hasNextPage || !pageInfo.endCursor) break;
    after = pageInfo.endCursor;
  }
  tell({ running: false });
}

const problemOf = (error: Parameters<typeof describeError>[0] | undefined): string =>
  error ? describeError(error).message : 'The platform did not answer.';
