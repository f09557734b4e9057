import type { Credentials } from '#core/auth/credential-cache.ts';
import type { TenantAccounts } from '#core/auth/tenant-accounts.ts';
import type { Authenticator } from '#core/auth/viewer.ts';
import type { Bus } from '#core/bus/connect.ts';
import { listenControl } from '#core/bus/control.ts';
import type { CredentialWatch } from './http/credential-watch.ts';
import type { DeviceCache } from './modules/devices/cache.ts';

/** Drops what is cached when it is said to have changed, and all of it after the bus was away. */
export function listenForChanges(deps: {
  readonly bus: Bus;
  readonly devices: DeviceCache;
  readonly authenticator: Authenticator;
  readonly credentials: Credentials;
  readonly accounts: TenantAccounts;
  readonly watch: CredentialWatch;
}): void {
  const { bus, devices, authenticator, credentials, accounts, watch } = deps;
  for (const kind of ['device', 'credential'] as const) {
    listenControl(bus, kind, ({ tenant, tenantId, id }) => {
      devices.invalidate(tenantId, id);
      credentials.forget(tenant, id);
    });
  }
  listenControl(bus, 'member', ({ tenantId, id }) => {
    authenticator.forget();
    watch.recheck(tenantId, id);
  });
  listenControl(bus, 'key', ({ tenantId, id }) => {
    authenticator.forget();
    watch.recheck(tenantId, `key:${id}`);
  });
  listenControl(bus, 'tenant', ({ tenant, tenantId }) => {
    authenticator.forget();
    credentials.forgetTenant(tenant);
    watch.recheck(tenantId);
  });
  listenControl(bus, 'limits', ({ tenant }) => accounts.changed(tenant));
  bus.onReconnect(() => {
    accounts.changedAll();
    devices.clear();
    authenticator.forget();
    credentials.forgetAll();
    watch.recheckAll();
  });
}
