declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Surrogate keys inside the platform; never shown outside, where ids are opaque. */
export type TenantId = Branded<number, 'TenantId'>;
export type DeviceId = Branded<number, 'DeviceId'>;
export type SiteId = Branded<number, 'SiteId'>;

/** What people and topics call a tenant: `[a-z0-9][a-z0-9-]{0,62}`. */
export type TenantSlug = Branded<string, 'TenantSlug'>;
/** What people and topics call a device: `[A-Za-z0-9][A-Za-z0-9._:-]{0,127}`. */
export type DeviceKey = Branded<string, 'DeviceKey'>;

const TENANT_SLUG = /^[a-z0-9][a-z0-9-]{0,62}$/;
const DEVICE_KEY = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

export const isTenantSlug = (text: string): text is TenantSlug => TENANT_SLUG.test(text);
export const isDeviceKey = (text: string): text is DeviceKey => DEVICE_KEY.test(text);
