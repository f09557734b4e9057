const storageKey = 'fleetgraph.tenant';

/** The tenant that this tab was told to show, for somebody who belongs to several; undefined: whichever is the first. */
export function chosenTenant(): string | undefined {
  return window.sessionStorage.getItem(storageKey) ?? undefined;
}

/** Opens the console of a tenant from its beginning: nothing of the one before stays on the page. */
export function enterTenant(slug: string): void {
  window.sessionStorage.setItem(storageKey, slug);
  location.assign('/');
}

export function forgetTenant(): void {
  window.sessionStorage.removeItem(storageKey);
}
