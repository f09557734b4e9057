import { apiKeys } from './api-keys.ts';
import { audit } from './audit.ts';
import { certificates } from './certificates.ts';
import { claimCodes } from './claim-codes.ts';
import { commands } from './commands.ts';
import { devices } from './devices.ts';
import { groups } from './groups.ts';
import { instances } from './instances.ts';
import { invitations } from './invitations.ts';
import { jobs } from './jobs.ts';
import { members } from './members.ts';
import { operator } from './operator.ts';
import { provisioningTokens } from './provisioning-tokens.ts';
import { quarantine } from './quarantine.ts';
import type { Recipes } from './recipe.ts';
import { shadow } from './shadow.ts';
import { sites } from './sites.ts';
import { templateMigrations } from './template-migrations.ts';
import { templates } from './templates.ts';

/** One for every mutation there is, in a file for each module. */
export const recipes: Recipes = {
  ...devices,
  ...groups,
  ...jobs,
  ...commands,
  ...certificates,
  ...claimCodes,
  ...provisioningTokens,
  ...apiKeys,
  ...quarantine,
  ...audit,
  ...operator,
  ...invitations,
  ...members,
  ...templates,
  ...templateMigrations,
  ...sites,
  ...instances,
  ...shadow,
};
