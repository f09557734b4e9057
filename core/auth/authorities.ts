import { createRootAuthority, createTenantAuthority, type KeyedCertificate } from './certificates.ts';
import type { SecretBox } from './secrets.ts';
import { X509Certificate } from './x509.ts';

/** An authority as it is stored: its private key is sealed. */
export interface StoredAuthority {
  readonly certificate: Uint8Array;
  readonly privateKey: Uint8Array;
}

export interface NewAuthority extends StoredAuthority {
  readonly notAfter: Date;
}

/** Where authorities are kept. Adding one where there is one already changes nothing. */
export interface AuthorityStore {
  findRoot(): Promise<StoredAuthority | undefined>;
  addRoot(authority: NewAuthority): Promise<void>;
  findTenant(tenantId: number): Promise<StoredAuthority | undefined>;
  addTenant(tenantId: number, authority: NewAuthority): Promise<void>;
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

/** The authority of a tenant, made and signed by the root where there is none. */
export async function ensureTenantAuthority(
  store: AuthorityStore,
  box: SecretBox,
  tenant: { readonly tenantId: number; readonly tenantSlug: string },
): Promise<KeyedCertificate> {
  const context = ofTenant(tenant.tenantId);
  const found = await store.findTenant(tenant.tenantId);
  if (found) return unseal(box, context, found);
  const made = await createTenantAuthority(await ensureRoot(store, box), tenant.tenantSlug);
  await store.addTenant(tenant.tenantId, sealed(box, context, made));
  return unseal(box, context, present(await store.findTenant(tenant.tenantId)));
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

function present(stored: StoredAuthority | undefined): StoredAuthority {
  if (!stored) throw new Error('an authority that was just stored is not there');
  return stored;
}
