import { type Operation, requirePermission } from '#api/graphql/context.ts';
import { badInput } from '#api/graphql/errors.ts';
import { MAX_PAGE } from '#api/graphql/paging.ts';
import {
  loadCurrentSequence,
  readGaps,
  readSequence,
  type SequenceGapRow,
  type SequenceRow,
} from './store.ts';

const MAX_BOOT = 65_535;

/** The numbers of one life of a device, the one heard of last by default. */
export async function findSequence(
  operation: Operation,
  deviceId: number,
  boot: number | null | undefined,
): Promise<SequenceRow | undefined> {
  requirePermission(operation, 'telemetry.read');
  if (boot == null) return loadCurrentSequence(operation, deviceId);
  if (boot < 0 || boot > MAX_BOOT) throw badInput(`boot is from 0 to ${MAX_BOOT}`);
  return readSequence(operation, deviceId, boot);
}

/** The newest gaps of a life. */
export async function listGaps(
  operation: Operation,
  sequence: SequenceRow,
  first: number,
): Promise<SequenceGapRow[]> {
  if (first < 1 || first > MAX_PAGE) throw badInput(`first must be from 1 to ${MAX_PAGE}`);
  return readGaps(operation, sequence, first);
}
