import { z } from 'zod';
import type { WriteScope } from '#api/database/writes.ts';
import { Prisma, type Site } from '#api/generated/prisma/client.ts';
import { changesBetween } from '#api/graphql/audit.ts';
import type { Operation } from '#api/graphql/context.ts';
import { ConflictFault, NotFoundFault, type UserError } from '#api/graphql/errors.ts';
import { readRowId } from '#api/graphql/global-ids.ts';
import { parseInput, text } from '#api/graphql/input.ts';
import { type JsonObject, runMutation } from '#api/graphql/mutations.ts';

type WithMutationId = { readonly clientMutationId?: string | null | undefined };
type WithId = WithMutationId & {
  readonly id: string;
  readonly expectedVersion?: number | null | undefined;
};

const fields = {
  name: text(200),
  address: z
    .string()
    .trim()
    .max(500, 'must have at most 500 characters')
    .refine((value) => !value.includes('\0'), 'must not hold NUL'),
  timezone: z.string().refine(isTimezone, 'must be an IANA time zone, for example Europe/Vienna'),
  location: z.object({
    latitude: z.number().min(-90, 'must be from -90 to 90').max(90, 'must be from -90 to 90'),
    longitude: z.number().min(-180, 'must be from -180 to 180').max(180, 'must be from -180 to 180'),
  }),
};

const createSchema = z.object({
  key: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/,
      'must be 1 to 128 of A-Z a-z 0-9 . _ : - and begin with a letter or digit',
    ),
  name: fields.name.nullish(),
  address: fields.address.nullish(),
  timezone: fields.timezone.nullish(),
  location: fields.location.nullish(),
});

/** Absent means unchanged; null clears what may be empty. */
const updateSchema = z.object({
  name: fields.name.optional(),
  address: fields.address.optional(),
  timezone: fields.timezone.optional(),
  location: fields.location.nullish(),
});

const changedSchema = z.object({ siteId: z.number() });
const deletedSchema = z.object({ id: z.string() });
export type SiteChanged = z.output<typeof changedSchema>;
export type SiteDeleted = z.output<typeof deletedSchema>;

export function createSite(operation: Operation, input: WithMutationId): Promise<SiteChanged | UserError> {
  return runMutation(operation, {
    name: 'siteCreate',
    permission: 'sites.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { key, name, address, timezone, location } = parseInput(createSchema, input);
      const known = await scope.prisma.site.findUnique({
        where: { tenantId_key: { tenantId: scope.tenantId, key } },
        select: { version: true },
      });
      if (known) throw taken(key, known.version);
      const site = await scope.prisma.site
        .create({
          data: {
            ...{ tenantId: scope.tenantId, key, name: name ?? key, address: address ?? '' },
            timezone: timezone ?? 'UTC',
            latitude: location?.latitude ?? null,
            longitude: location?.longitude ?? null,
          },
        })
        .catch((error: unknown) => {
          const twin = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
          throw twin ? taken(key, null) : error;
        });
      return {
        success: { siteId: site.id },
        audit: { target: targetOf(site), before: null, after: stateOf(site) },
      };
    },
  });
}

/** Changes what the input names; everything else stays. */
export function updateSite(operation: Operation, input: WithId): Promise<SiteChanged | UserError> {
  return runMutation(operation, {
    name: 'siteUpdate',
    permission: 'sites.write',
    input,
    read: (remembered) => changedSchema.parse(remembered),
    async run(scope) {
      const { name, address, timezone, location } = parseInput(updateSchema, input);
      const current = await lockSite(scope, input);
      const site = await scope.prisma.site.update({
        where: { id: current.id },
        data: {
          ...(name !== undefined && { name }),
          ...(address !== undefined && { address }),
          ...(timezone !== undefined && { timezone }),
          ...(location !== undefined && {
            latitude: location?.latitude ?? null,
            longitude: location?.longitude ?? null,
          }),
          ...{ version: { increment: 1 }, updatedAt: new Date() },
        },
      });
      return {
        success: { siteId: site.id },
        audit: { target: targetOf(site), ...changesBetween(stateOf(current), stateOf(site)) },
      };
    },
  });
}

/**
 * Deletes a site where nothing is any more. Devices that were decommissioned there, and provisioning tokens that are good for nothing,
 * are nowhere afterwards.
 */
export function deleteSite(operation: Operation, input: WithId): Promise<SiteDeleted | UserError> {
  return runMutation(operation, {
    name: 'siteDelete',
    permission: 'sites.write',
    input,
    read: (remembered) => deletedSchema.parse(remembered),
    async run(scope) {
      const site = await lockSite(scope, input);
      const [there] = await scope.prisma.$queryRaw<{ devices: number; tokens: number }[]>`
        select (select count(*)::int from devices where site_id = ${site.id} and status <> 'DECOMMISSIONED') as devices,
          (select count(*)::int from provisioning_tokens
           where site_id = ${site.id} and revoked_at is null and expires_at > now()) as tokens`;
      if (there && there.devices > 0)
        throw stillThere(site, there.devices, there.devices === 1 ? 'device is' : 'devices are');
      if (there && there.tokens > 0)
        throw stillThere(
          site,
          there.tokens,
          there.tokens === 1 ? 'provisioning token makes devices' : 'provisioning tokens make devices',
        );
      await scope.prisma.$executeRaw`update devices set site_id = null where site_id = ${site.id}`;
      await scope.prisma
        .$executeRaw`update provisioning_tokens set site_id = null where site_id = ${site.id}`;
      await scope.prisma.site.delete({ where: { id: site.id } });
      return {
        success: { id: input.id },
        audit: { target: targetOf(site), before: stateOf(site), after: null },
      };
    },
  });
}

const taken = (key: string, version: number | null): ConflictFault =>
  new ConflictFault(`there is a site with the key ${key} already`, ['input', 'key'], version);

const stillThere = (site: Site, count: number, what: string): ConflictFault =>
  new ConflictFault(`${count} ${what} there`, ['input', 'id'], site.version);

/** The site, which nobody else changes and nobody puts a device at until the transaction ends. */
async function lockSite(scope: WriteScope, input: WithId): Promise<Site> {
  const id = readRowId(input.id, 'Site');
  if (id !== undefined) await scope.prisma.$executeRaw`select from sites where id = ${id} for update`;
  const site = id === undefined ? null : await scope.prisma.site.findUnique({ where: { id } });
  if (!site) throw new NotFoundFault('there is no such site', ['input', 'id']);
  if (input.expectedVersion != null && input.expectedVersion !== site.version) {
    const message = 'somebody else has changed the site';
    throw new ConflictFault(message, ['input', 'expectedVersion'], site.version);
  }
  return site;
}

const targetOf = ({ id, key }: Site) => ({ type: 'Site', id, label: key });

function stateOf({ key, name, address, timezone, latitude, longitude }: Site): JsonObject {
  return { key, name, address, timezone, latitude, longitude };
}

function isTimezone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return /^[A-Za-z]/.test(name);
  } catch {
    return false;
  }
}
