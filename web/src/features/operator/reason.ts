import { createContext, use } from 'react';

const storageKey = 'fleetgraph.operator.reason';

/** The API asks for as much. */
export const minReason = 8;
export const maxReason = 500;

/** Why this tab looks across tenants; kept until it is closed or the work is ended. */
export const storedReason = (): string => sessionStorage.getItem(storageKey) ?? '';

export function storeReason(reason: string): void {
  if (reason === '') sessionStorage.removeItem(storageKey);
  else sessionStorage.setItem(storageKey, reason);
}

const ReasonContext = createContext<string | undefined>(undefined);
export const ReasonProvider = ReasonContext.Provider;

/** The reason that was given; every question of these pages carries it. */
export function useReason(): string {
  const reason = use(ReasonContext);
  if (reason === undefined) throw new Error('useReason needs the operator’s area around it');
  return reason;
}
