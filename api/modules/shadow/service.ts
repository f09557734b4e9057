import { type Operation, requirePermission } from '#api/graphql/context.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import {
  listVersions,
  loadShadow,
  readVersionsAt,
  type ShadowRow,
  type ShadowSide,
  type ShadowVersionRow,
} from './store.ts';

export { clearDesired } from './announce.ts';

export async function findShadow(operation: Operation, deviceId: number): Promise<ShadowRow> {
  requirePermission(operation, 'devices.read');
  return loadShadow(operation, deviceId);
}

/** The versions of both sides, or of one, newest first. */
export async function listShadowHistory(
  operation: Operation,
  args: PageArgs,
  deviceId: number,
  side: ShadowSide | null | undefined,
): Promise<Page<ShadowVersionRow>> {
  requirePermission(operation, 'devices.read');
  return listVersions(operation, args, deviceId, side ?? undefined);
}

/** Both sides as they were at a time, as far as the history goes back; what was not there yet is empty. */
export async function findShadowAt(operation: Operation, deviceId: number, at: Date): Promise<ShadowRow> {
  requirePermission(operation, 'devices.read');
  const versions = await readVersionsAt(operation, deviceId, at);
  const desired = versions.find(({ side }) => side === 'DESIRED');
  const reported = versions.find(({ side }) => side === 'REPORTED');
  const desiredVersion = desired?.version ?? 0;
  return {
    ...{ desired: desired?.document ?? {}, desiredVersion, desiredAt: desired?.at ?? null },
    reported: reported?.document ?? {},
    reportedVersion: reported?.version ?? 0,
    reportedAt: reported?.at ?? null,
    answeredVersion: Math.min(reported?.answered ?? 0, desiredVersion),
  };
}
