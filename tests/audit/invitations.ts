import { expect } from 'vitest';
import type { Recipes, Scene } from './recipe.ts';

async function invite(scene: Scene, name: string): Promise<{ token: string; invitation: { id: string } }> {
  const data = await scene.ask(
    `mutation { memberInvite(input: { email: "${name}@example.com", role: VIEWER }) {
      ... on MemberInviteSuccess { token invitation { id } } } }`,
  );
  return data.memberInvite;
}

export const invitations: Recipes = {
  memberInvite: {
    table: 'invitations',
    input: async () => ({ email: 'new@example.com', role: 'OPERATOR' }),
    target: 'new@example.com',
    before: null,
    after: { email: 'new@example.com', role: 'OPERATOR', expiresAt: expect.any(String) },
  },
  invitationRevoke: {
    table: 'invitations',
    input: async (scene) => ({ id: (await invite(scene, 'unwanted')).invitation.id }),
    target: 'unwanted@example.com',
    before: { revokedAt: null },
    after: { revokedAt: expect.any(String) },
  },
  invitationAccept: {
    table: 'invitations',
    by: 'welcome',
    input: async (scene) => ({ token: (await invite(scene, 'welcome')).token }),
    target: 'welcome',
    before: null,
    after: { email: 'welcome@example.com', role: 'VIEWER', invitedBy: 'test' },
  },
};
