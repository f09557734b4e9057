import { type Operation, requirePermission } from '#api/graphql/context.ts';
import type { Page, PageArgs } from '#api/graphql/paging.ts';
import type { CredentialRow } from '../devices/service.ts';
import {
  type AuthorityRow,
  type CertificateState,
  countCertificates,
  readAuthorities,
  readCertificates,
  readRoot,
} from './store.ts';

/** Whom the tenant's devices and the platform trust. */
export interface TenantCa {
  /** DER; undefined before anybody needed one. */
  readonly root: Buffer | undefined;
  /** Newest first. */
  readonly generations: readonly AuthorityRow[];
}

export async function findTenantCa(operation: Operation): Promise<TenantCa> {
  requirePermission(operation, 'devices.read');
  const [root, generations] = await Promise.all([readRoot(operation), readAuthorities(operation)]);
  return { root, generations };
}

export async function listCertificates(
  operation: Operation,
  args: PageArgs,
  state: CertificateState,
): Promise<Page<CredentialRow> & { count: () => Promise<number> }> {
  requirePermission(operation, 'devices.read');
  return {
    ...(await readCertificates(operation, args, state)),
    count: () => countCertificates(operation, state),
  };
}
