/**
 * The shard of a tenant: FNV-1a (32 bit) of its slug, modulo the number of shards.
 * Fixed for the life of a deployment, so the function and `shards` must never change under stored messages.
 * @see http://www.isthe.com/chongo/tech/comp/fnv/
 */
export function shardOf(tenantSlug: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < tenantSlug.length; index++) {
    hash ^= tenantSlug.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shards;
}
