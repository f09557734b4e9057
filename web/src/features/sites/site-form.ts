import type { SiteCreateInput, SiteUpdateInput } from '../../generated/graphql.ts';
import type { SiteRow } from './site-documents.ts';

/** A site as its form holds it: text, as typed. */
export type SiteValues = {
  readonly key: string;
  readonly name: string;
  readonly address: string;
  readonly timezone: string;
  readonly latitude: string;
  readonly longitude: string;
};

export const siteFields = ['key', 'name', 'address', 'timezone', 'latitude', 'longitude'] as const;

/** The API's name for what the form calls otherwise. */
export const renamedSiteFields = { location: 'latitude' } as const;

/** @param site undefined for a new one, which is where this browser is by default */
export function toSiteValues(site: SiteRow | undefined): SiteValues {
  return {
    key: site?.key ?? '',
    name: site?.name ?? '',
    address: site?.address ?? '',
    timezone: site?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    latitude: site?.location ? String(site.location.latitude) : '',
    longitude: site?.location ? String(site.location.longitude) : '',
  };
}

const degrees = (text: string, bound: number) =>
  text.trim() !== '' && Math.abs(Number(text)) <= bound && Number.isFinite(Number(text));

/** What is wrong with a field, in words; true when nothing is. The API checks again. */
export const siteRules = {
  latitude: (text: string, { longitude }: SiteValues) =>
    (text.trim() === '' && longitude.trim() === '') || degrees(text, 90) || 'Degrees from −90 to 90.',
  longitude: (text: string, { latitude }: SiteValues) =>
    (text.trim() === '' && latitude.trim() === '') || degrees(text, 180) || 'Degrees from −180 to 180.',
} as const;

const locationOf = ({ latitude, longitude }: SiteValues) =>
  latitude.trim() === '' || longitude.trim() === ''
    ? null
    : { latitude: Number(latitude), longitude: Number(longitude) };

export function toSiteCreate(values: SiteValues): SiteCreateInput {
  const location = locationOf(values);
  return {
    key: values.key.trim(),
    timezone: values.timezone.trim(),
    ...(values.name.trim() !== '' && { name: values.name.trim() }),
    ...(values.address.trim() !== '' && { address: values.address.trim() }),
    ...(location && { location }),
  };
}

export function toSiteUpdate(values: SiteValues, { id, version }: SiteRow): SiteUpdateInput {
  return {
    ...{ id, expectedVersion: version },
    ...{ name: values.name.trim(), address: values.address.trim(), timezone: values.timezone.trim() },
    location: locationOf(values),
  };
}
