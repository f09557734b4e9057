import { createRootAuthority, createTenantAuthority, type KeyedCertificate } from './certificates.ts';
import type { SecretBox } from './secrets.ts';
import { X509Certificate } from './x509.ts';

/** An authority as it is stored: its private key is sealed. */
export interface StoredAuthority {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** One of a tenant's authorities; the newest signs, the older ones are still trusted. */
export interface StoredGeneration extends StoredAuthority {
  readonly generation: number;
}

/** What certificates of a tenant are signed with. */
export interface TenantAuthority extends KeyedCertificate {
  readonly generation: number;
}

export interface NewAuthority extends StoredAuthority {
  readonly notAfter: Date;
}

/** Where authorities are kept. Adding one where there is one already changes nothing. */
export interface AuthorityStore {
  findRoot(): Promise<StoredAuthority | undefined>;
  addRoot(authority: NewAuthority): Promise<void>;
  /** The newest. */
  findTenant(tenantId: number): Promise<StoredGeneration | undefined>;
  addTenant(tenantId: number, generation: number, authority: NewAuthority): Promise<void>;
}

/** What a key of an authority is sealed for. */
const ROOT = 'authority/root';
const ofTenant = (tenantId: number) => `authority/tenant/${tenantId}`;

/** The platform's root, made where there is none. Two that make it at once get the same one. */
export async function ensureRoot(store: AuthorityStore, box: SecretBox): Promise<KeyedCertificate> {
  const found = await store.findRoot();
  if (found) return unseal(box, ROOT, found);
  const made = await createRootAuthority();
  await store.addRoot(sealed(box, ROOT, made));
  return unseal(box, ROOT, present(await store.findRoot()));
}

interface TenantName {
  readonly tenantId: number;
  readonly tenantSlug: string;
}

/** The newest authority of a tenant, made and signed by the root where there is none. */
export async function ensureTenantAuthority(
  store: AuthorityStore,
  box: SecretBox,
  tenant: TenantName,
): Promise<TenantAuthority> {
  const found = await store.findTenant(tenant.tenantId);
  if (!found) return addGeneration(store, box, tenant, 1);
  return { ...unseal(box, ofTenant(tenant.tenantId), found), generation: found.generation };
}

/** Makes the next authority of a tenant; the ones before keep their generation. Of two at once both get the same one. */
export async function rotateTenantAuthority(
  store: AuthorityStore,
  box: SecretBox,
  tenant: TenantName,
): Promise<TenantAuthority> {
  const newest = await store.findTenant(tenant.tenantId);
  return addGeneration(store, box, tenant, (newest?.generation ?? 0) + 1);
}

async function addGeneration(
  store: AuthorityStore,
  box: SecretBox,
  { tenantId, tenantSlug }: TenantName,
  generation: number,
): Promise<TenantAuthority> {
  const made = await createTenantAuthority(await ensureRoot(store, box), tenantSlug);
  await store.addTenant(tenantId, generation, sealed(box, ofTenant(tenantId), made));
  const kept = present(await store.findTenant(tenantId));
  return { ...unseal(box, ofTenant(tenantId), kept), generation: kept.generation };
}

/** The authority of a tenant as it was stored, ready to sign. */
export const openTenantAuthority = (
  box: SecretBox,
  tenantId: number,
  stored: StoredAuthority,
): KeyedCertificate => unseal(box, ofTenant(tenantId), stored);

const sealed = (box: SecretBox, context: string, made: KeyedCertificate): NewAuthority => ({
  certificate: made.certificate,
  privateKey: box.seal(context, made.privateKey),
  notAfter: new X509Certificate(made.certificate.slice()).notAfter,
});

const unseal = (box: SecretBox, context: string, stored: StoredAuthority): KeyedCertificate => ({
  certificate: stored.certificate,
  privateKey: box.open(context, stored.privateKey),
});

function present<Stored extends StoredAuthority>(stored: Stored | undefined): Stored {
  if (!stored) throw new Error('an authority that was just stored is not there');
  return stored;
}
