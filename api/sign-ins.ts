import { createHash, randomUUID } from 'node:crypto';
import { isIP } from 'node:net';
import type { Admission, TenantRecord } from '#core/auth/membership.ts';
import type { Person, Presented, Viewer } from '#core/auth/viewer.ts';
import type { Writes } from './database/writes.ts';
import { type AuditChange, type AuditOrigin, writeAudit } from './graphql/audit.ts';

/** Writes down who comes in, from where, and whom the identity provider's claims brought. */
export interface SignIns {
  /**
   * The first use of a session becomes the audit entry `session.start`, that of an API key from a network it was not used
   * from before `api_key.new_address` (the very first of all: `session.start`). Anything later costs a look into a map.
   * @throws UnavailableError when it cannot be written: nobody comes in without a trace
   */
  note(viewer: Viewer, presented: Presented): Promise<void>;
  /** As `AuthenticatorOptions.recordMember`. */
  recordMember(
    person: Person,
    tenant: TenantRecord,
    admission: Admission,
    presented: Presented,
  ): Promise<number>;
}

const MAX_REMEMBERED = 20_000;
const TIMEOUT_MS = 5_000;
/** Networks kept of an API key; the one used longest ago is forgotten first, and is new when it comes again. */
const MAX_NETWORKS = 50;

export function createSignIns(writes: Writes): SignIns {
  /** What is written down, or being so; by session (with the end of its newest token) or by key and address. */
  const noted = new Map<string, Promise<void>>();
  const once = (key: string, write: () => Promise<void>): Promise<void> => {
    const known = noted.get(key);
    if (known) return known;
    if (noted.size >= MAX_REMEMBERED) noted.delete(noted.keys().next().value ?? '');
    const writing = write();
    noted.set(key, writing);
    writing.catch(() => noted.delete(key));
    return writing;
  };
  const deadline = () => Date.now() + TIMEOUT_MS;
  return {
    async note(viewer, presented) {
      const actor = actorOf(viewer, presented);
      const { credentialId, tenantId, sessionId, expiresAt } = viewer;
      if (sessionId === null) {
        const address = presented.address?.replace(/%.*$/, '') ?? '';
        if (isIP(address) === 0) return;
        await once(`${credentialId}/${address}`, () =>
          noteAddress(writes, viewer, address, actor, deadline()),
        );
        return;
      }
      await once(JSON.stringify([tenantId, credentialId, sessionId, expiresAt?.getTime()]), () =>
        noteSession(writes, viewer, sessionId, actor, deadline()),
      );
    },
    recordMember: (person, tenant, admission, presented) =>
      recordMember(writes, { person, tenant, admission, presented }, deadline()),
  };
}

const actorOf = (viewer: AuditOrigin['viewer'], { address, requestId }: Presented): AuditOrigin => ({
  viewer,
  ip: address ?? null,
  requestId: requestId ?? randomUUID(),
});

const tableName = { USER: 'Member', CLIENT: 'Client', API_KEY: 'ApiKey' } as const;

const targetOf = ({ kind, rowId, subject, name }: Viewer): AuditChange['target'] => ({
  type: tableName[kind],
  id: rowId ?? subject,
  label: name,
});

function noteSession(
  writes: Writes,
  viewer: Viewer,
  sessionId: string,
  actor: AuditOrigin,
  deadline: number,
): Promise<void> {
  const session = createHash('sha256')
    .update(JSON.stringify([viewer.credentialId, sessionId]))
    .digest();
  return writes.transaction(viewer, deadline, async (scope) => {
    const [row] = await scope.prisma.$queryRaw<{ started: boolean }[]>`
      insert into sign_ins (tenant_id, session, good_until) values (${scope.tenantId}, ${session}, ${viewer.expiresAt})
      on conflict (tenant_id, session) do update set good_until = greatest(sign_ins.good_until, excluded.good_until)
      returning xmax = 0 as started`;
    if (!row?.started) return;
    if (viewer.kind === 'USER') {
      await scope.prisma
        .$executeRaw`update members set last_sign_in_at = now(), name = ${viewer.name}, email = ${viewer.email}
        where id = ${viewer.rowId}`;
    }
    const after = { kind: viewer.kind, role: viewer.role, permissions: [...viewer.permissions].sort() };
    await writeAudit(scope, actor, 'session.start', { target: targetOf(viewer), before: null, after });
  });
}

function noteAddress(
  writes: Writes,
  viewer: Viewer,
  address: string,
  actor: AuditOrigin,
  deadline: number,
): Promise<void> {
  return writes.transaction(viewer, deadline, async (scope) => {
    const [row] = await scope.prisma.$queryRaw<{ network: string; added: boolean }[]>`
      insert into api_key_networks (tenant_id, api_key_id, network)
      select ${scope.tenantId}, ${viewer.rowId}, network(set_masklen(a, case family(a) when 4 then 24 else 56 end))
      from (select ${address}::inet) as given (a)
      on conflict (tenant_id, api_key_id, network) do update set last_used_at = now()
      returning network::text, xmax = 0 as added`;
    if (!row?.added) return;
    const known = await scope.prisma.$queryRaw<{ network: string }[]>`
      select network::text from api_key_networks where api_key_id = ${viewer.rowId} order by last_used_at desc, network`;
    const before = known.map(({ network }) => network).filter((network) => network !== row.network);
    for (const network of before.slice(MAX_NETWORKS - 1))
      await scope.prisma.$executeRaw`delete from api_key_networks
        where api_key_id = ${viewer.rowId} and network = ${network}::cidr`;
    await writeAudit(scope, actor, before.length === 0 ? 'session.start' : 'api_key.new_address', {
      target: targetOf(viewer),
      before: before.length === 0 ? null : { networks: before.slice(0, MAX_NETWORKS) },
      after: { network: row.network },
    });
  });
}

interface Recording {
  readonly person: Person;
  readonly tenant: TenantRecord;
  readonly admission: Admission;
  readonly presented: Presented;
}

function recordMember(
  writes: Writes,
  { person, tenant, admission, presented }: Recording,
  deadline: number,
): Promise<number> {
  const { issuer, subject, name, email } = person;
  const { role, membership } = admission;
  const actor = actorOf({ kind: 'USER', credentialId: `user:${subject}`, name }, presented);
  return writes.transaction({ tenantId: tenant.id, tenantSlug: tenant.slug }, deadline, async (scope) => {
    if (membership) {
      const id = membership.memberId;
      const changed = await scope.prisma.$executeRaw`
        update members set role = ${role}::role_name where id = ${id} and role_source = 'PROVIDER' and role <> ${role}::role_name`;
      const target = { type: 'Member', id, label: name };
      if (changed > 0)
        await writeAudit(scope, actor, 'member.role', {
          target,
          before: { role: membership.role },
          after: { role },
        });
      return id;
    }
    const [added] = await scope.prisma.$queryRaw<{ id: number }[]>`
      insert into members (tenant_id, issuer, subject, name, email, role, origin, role_source)
      values (${scope.tenantId}, ${issuer}, ${subject}, ${name}, ${email}, ${role}::role_name, 'PROVIDER', 'PROVIDER')
      on conflict (tenant_id, issuer, subject) do nothing returning id`;
    if (added) {
      const target = { type: 'Member', id: added.id, label: name };
      await writeAudit(scope, actor, 'member.join', { target, before: null, after: { email, role } });
      return added.id;
    }
    const [known] = await scope.prisma.$queryRaw<{ id: number }[]>`
      select id from members where issuer = ${issuer} and subject = ${subject}`;
    if (!known) throw new Error('a member that was just there is gone');
    return known.id;
  });
}
