import type { Queryable } from './pool.ts';

/** Which of these commands there are: `{deviceId}/{commandId}`. */
export async function findCommands(
  db: Queryable,
  wanted: readonly { readonly deviceId: number; readonly commandId: string }[],
): Promise<Set<string>> {
  const { rows } = await db.query<{ name: string }>(
    `select c.device_id || '/' || c.command_id as name
     from unnest($1::int[], $2::uuid[]) as w (device_id, command_id)
     join device_commands c on c.command_id = w.command_id and c.device_id = w.device_id`,
    [wanted.map(({ deviceId }) => deviceId), wanted.map(({ commandId }) => commandId)],
  );
  return new Set(rows.map(({ name }) => name));
}
