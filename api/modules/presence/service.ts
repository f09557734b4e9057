export { loadPresence, type PresenceRow } from './store.ts';
