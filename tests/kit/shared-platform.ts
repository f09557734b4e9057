import { basename } from 'node:path';
import { inject } from 'vitest';
import type { TenantReady } from './shared-platform-setup.ts';

/** The platform that all files share, as the demo's people see it. Its devices are simulated; several files look at them. */
export function demoTenant(): TenantReady {
  return inject('demo');
}

/** The same platform as seen from a tenant that no other file touches, with the demo's devices, not simulated. */
export function ownTenant(testFile: string): TenantReady {
  const ready = inject('tenants')[basename(testFile, '.test.ts')];
  if (!ready) throw new Error(`no tenant was made for ${testFile}`);
  return ready;
}
