/** What an operator of the platform says about a tenant. Its devices and people are let in while it is ACTIVE. */
export const TENANT_STATUSES = ['ACTIVE', 'SUSPENDED', 'DELETING'] as const;
export type TenantStatus = (typeof TENANT_STATUSES)[number];
