import { createContext, use, useSyncExternalStore } from 'react';
import type { LiveClient } from './live-client.ts';
import type { LiveState } from './resume.ts';

const LiveContext = createContext<LiveClient | undefined>(undefined);
export const LiveProvider = LiveContext.Provider;

/** The page's live client. Throws outside of the signed-in shell. */
export function useLive(): LiveClient {
  const live = use(LiveContext);
  if (!live) throw new Error('useLive needs the signed-in shell around it');
  return live;
}

/** Renders with the state of the live stream. */
export function useLiveState(): LiveState {
  const live = useLive();
  return useSyncExternalStore(live.onState, live.state);
}
