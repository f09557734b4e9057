import { readDatabase } from '#standalone/conserve/database.ts';
import { judge, type Verdict } from '#standalone/conserve/judge.ts';
import { readStream } from '#standalone/conserve/stream.ts';
import type { Rig } from './rig.ts';

/** What `npm run conserve` would say of the rig now. */
export async function judgeConservation(rig: Rig): Promise<Verdict> {
  const stream = await readStream(rig.nats.url);
  const { pending } = stream;
  const database = await readDatabase({ databaseUrl: rig.database.adminUrl, days: 2, stream, pending });
  return judge(stream, database);
}
