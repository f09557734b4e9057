import { sql } from '#api/database/sql.ts';
import { defineLoader } from '#api/graphql/loaders.ts';

/** What somebody was called when the log last told of them, by their id there; the id itself where it does not. */
export const loadActorName = defineLoader<string, string>(
  async (operation, ids) => {
    const rows = await operation.read.rows<{ id: string; name: string }>(
      sql`select w.id, a.actor_name as name from unnest(${[...ids]}::text[]) as w (id)
          cross join lateral (select actor_name from audit_entries where actor_id = w.id order by at desc limit 1) a`,
    );
    return new Map(rows.map(({ id, name }) => [id, name]));
  },
  (id) => id,
);
