import { readDatabase } from '#standalone/conserve/database.ts';
import { judge, type Verdict } from '#standalone/conserve/judge.ts';
import { readStreams } from '#standalone/conserve/stream.ts';
import type { Rig } from './rig.ts';

/** What `npm run conserve` would say of the rig now. */
export async function judgeConservation(rig: Rig): Promise<Verdict> {
  const streams = await readStreams(rig.nats.url);
  const database = await readDatabase({ databaseUrl: rig.database.adminUrl, days: 2, streams });
  return judge(streams, database);
}
