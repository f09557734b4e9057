/** Where everything of a tenant is stored: keys of its objects begin with this and a `/`. The folder goes with the tenant. */
export const tenantFolder = (tenantSlug: string): string => `tenants/${tenantSlug}`;
