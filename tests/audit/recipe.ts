import type { Answer, TestApi } from '../kit/api.ts';
import type { TenantSeed } from '../kit/seed.ts';

/** Where the recipes are carried out: on one API, by an administrator of the tenant acme. */
export interface Scene {
  readonly api: TestApi;
  readonly acme: TenantSeed;
  /** Asks as the administrator. */
  readonly ask: (document: string, variables?: Record<string, unknown>) => Promise<Answer['data']>;
}

/** How a mutation is called so that it succeeds, and the entry that the audit log has of it then. */
export interface Recipe {
  /**
   * A table that it writes in the transaction of the entry. Absent: it is done by an operator of the platform to a tenant, and stands in
   * that one’s log and in the platform’s.
   */
  readonly table?: string;
  /** Subject of the person without a tenant who calls it; an API key by default. */
  readonly by?: string;
  /** What it is called with; makes what it needs. */
  readonly input: (scene: Scene) => Promise<Record<string, unknown>>;
  /** Label of its target. */
  readonly target: unknown;
  readonly before: unknown;
  readonly after: unknown;
}

/** By the name of the mutation. */
export type Recipes = Readonly<Record<string, Recipe>>;

/** What operators give as their reason. */
export const REASON = 'ticket 4711: because we test';

/** A device with one token; the ids of both. */
export async function makeDevice(
  { acme, ask }: Scene,
  key: string,
): Promise<{ readonly id: string; readonly tokenId: string }> {
  await acme.device(key);
  const { device } = await ask(`{ device(by: { key: "${key}" }) { id credentials { id } } }`);
  return { id: device.id, tokenId: device.credentials[0].id };
}
