export { NO_DEVICES, type PresenceRollup, ROLLUP_COLUMNS, rollupFields } from './rollup.ts';
export { loadPresence, type PresenceRow } from './store.ts';
