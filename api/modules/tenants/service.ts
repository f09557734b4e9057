export { loadTenant } from './store.ts';
