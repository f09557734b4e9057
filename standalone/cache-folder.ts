import { accessSync, constants, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Where fetched programs are kept for every clone of this user: `$XDG_CACHE_HOME/fleetgraph`, `~/.cache/fleetgraph`,
 * or a folder of this user's in /var/tmp when the home is not writable.
 */
export function cacheFolder(...parts: readonly string[]): string {
  const uid = process.getuid?.() ?? 0;
  const candidates = [
    ...(process.env.XDG_CACHE_HOME ? [join(process.env.XDG_CACHE_HOME, 'fleetgraph')] : []),
    join(homedir(), '.cache', 'fleetgraph'),
    join('/var/tmp', `fleetgraph-${uid}`, 'cache'),
  ];
  for (const candidate of candidates) {
    const folder = join(candidate, ...parts);
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {}
  }
  throw new Error(`none of these folders can be written: ${candidates.join(', ')}`);
}
