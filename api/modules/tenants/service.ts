export { loadTenant, type TenantRow } from './store.ts';
