import { mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { ACME, demoPeople, peopleOf, seedDemo } from '#standalone/demo.ts';
import { type Person, writePeople } from '#standalone/identity.ts';
import { PROJECT } from '#standalone/node-process.ts';
import type { ReadyFile } from '#standalone/ready-file.ts';
import { prepareKeys } from '#standalone/secrets/prepare.ts';
import { loadSecrets } from '#standalone/secrets.ts';
import { describeUser } from '#standalone/welcome.ts';
import { type RunningPlatform, startPlatform } from './standalone.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The running platform, as the people of the demo's tenant see it. */
    demo: TenantReady;
    /** As the people of a file's own tenant see it, by the file's name. */
    tenants: Readonly<Record<string, TenantReady>>;
  }
}

/** What a test needs to drive the platform as one tenant. */
export interface TenantReady extends ReadyFile {
  readonly tenant: { readonly slug: string; readonly name: string };
  /** A device nobody simulates. */
  readonly device: NonNullable<ReadyFile['device']>;
}

let platform: RunningPlatform | undefined;

/** Starts one platform for the whole run. Beside the demo's tenant each test file has one, furnished alike. */
export async function setup(project: TestProject): Promise<void> {
  platform = await startPlatform();
  const { ready, dataDir } = platform;
  const people = demoPeople(loadSecrets(dataDir));
  const tenants: Record<string, TenantReady> = {};
  for (const file of readdirSync(join(PROJECT, 'tests', 'e2e'))) {
    const made = await makeTenant(platform, basename(file, '.test.ts'));
    people.push(...made.people);
    tenants[made.ready.tenant.slug] = made.ready;
  }
  await writePeople(join(dataDir, 'identity'), people);
  project.provide('demo', withDevice({ ...ready, tenant: ACME }));
  project.provide('tenants', tenants);
}

export async function teardown(): Promise<void> {
  await platform?.[Symbol.asyncDispose]();
}

interface FileTenant {
  readonly people: readonly Person[];
  readonly ready: TenantReady;
}

/** A tenant with the demo's sites and devices; nobody simulates them. */
async function makeTenant({ ready, dataDir }: RunningPlatform, slug: string): Promise<FileTenant> {
  const tenant = { slug, name: `Test of ${slug}` };
  const folder = join(dataDir, 'tenants', slug);
  mkdirSync(folder, { recursive: true });
  const secrets = loadSecrets(folder);
  const keys = await prepareKeys(ready.database, loadSecrets(dataDir), dataDir);
  const where = { databaseUrl: ready.database, dataDir: folder, devices: true };
  const demo = await seedDemo({ ...where, tenant, secrets, keys });
  const people = peopleOf(tenant, secrets);
  const users = people.map(describeUser);
  return {
    people,
    ready: withDevice({ ...ready, tenant, users, apiKey: demo.apiKey, device: demo.handsOn }),
  };
}

function withDevice(ready: ReadyFile & Pick<TenantReady, 'tenant'>): TenantReady {
  const { device } = ready;
  if (!device) throw new Error(`${ready.tenant.slug} has no device of its own`);
  return { ...ready, device };
}
