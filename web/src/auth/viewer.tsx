import { createContext, use } from 'react';
import type { Client } from 'urql';
import type { ConsoleConfig } from '../config.ts';
import type { Role, ViewerQuery } from '../generated/graphql.ts';
import { graphql } from '../generated/index.ts';
import type { Session } from './session.ts';

export const viewerDocument = graphql(`
  query Viewer {
    viewer {
      id
      name
      email
      role
      memberships {
        tenantSlug
        tenantName
      }
      permissions
      tenant {
        id
        slug
        name
        retentionDays
      }
    }
  }
`);

export type Viewer = ViewerQuery['viewer'];

/** What every page may ask for: who is signed in, to which deployment. */
export type Account = {
  readonly viewer: Viewer;
  readonly config: ConsoleConfig;
  readonly session: Session;
  /** Asks the API past the cache; for what is large and never asked twice the same: series, raw readings. */
  readonly direct: Client;
};

const AccountContext = createContext<Account | undefined>(undefined);
export const AccountProvider = AccountContext.Provider;

/** The signed-in account. Throws outside of the signed-in shell. */
export function useAccount(): Account {
  const account = use(AccountContext);
  if (!account) throw new Error('useAccount needs the signed-in shell around it');
  return account;
}

/** Whether the role may create, change and decommission devices. The API decides for itself; this only hides what it would refuse. */
export function mayWriteDevices(role: Role): boolean {
  return role === 'ENGINEER' || role === 'ADMIN';
}

/** Whether the role may send messages again and give them up. The API decides for itself; this only hides what it would refuse. */
export function mayOperate(role: Role): boolean {
  return role !== 'VIEWER';
}

/** Whether somebody operates the platform, across tenants. The API decides for itself; this only hides what it would refuse. */
export function operatesPlatform({ permissions }: Viewer): boolean {
  return permissions.includes('platform.operate');
}

/** Whether the role may manage API keys and read the audit log. The API decides for itself; this only hides what it would refuse. */
export function mayAdminister(role: Role): boolean {
  return role === 'ADMIN';
}
