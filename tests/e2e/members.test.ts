import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

const shots = process.env['SCREENSHOTS'];

/** For somebody who wants to look: every state in both themes and widths. */
async function shoot(page: Page, name: string): Promise<void> {
  if (shots === undefined) return;
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1440, 375]) {
      await page.emulateMedia({ colorScheme: scheme });
      await page.setViewportSize({ width, height: 900 });
      await page.screenshot({ path: `${shots}/${name}-${scheme}-${width}.png` });
    }
  }
  await page.setViewportSize({ width: 1280, height: 720 });
}

describe('the members page', () => {
  it('lets an admin change a role, remove somebody and invite them again, who accepts by the link', async () => {
    const viewer = ready.users.find(({ role }) => role === 'VIEWER');
    if (!viewer) throw new Error('nobody is a viewer');
    const vera = await signIn(await browser.newContext(), ready, 'VIEWER');
    const ada = await signIn(await browser.newContext(), ready, 'ADMIN');
    await ada.getByRole('link', { name: 'Members' }).click();
    const row = ada.getByRole('row', { name: /Vera Viewer/ });
    await row.getByText('from the provider').waitFor();
    await shoot(ada, 'members');
    expect(await seriousViolations(ada)).toEqual([]);

    await row.getByRole('button', { name: 'Actions for Vera Viewer' }).click();
    await ada.getByRole('menuitem', { name: /Change role/ }).click();
    await ada.getByLabel('Role', { exact: true }).selectOption('OPERATOR');
    expect(await seriousViolations(ada)).toEqual([]);
    await ada.getByRole('button', { name: 'Change role', exact: true }).click();
    await row.getByText('Operator').waitFor();

    const self = ada.getByRole('row', { name: /Ada Admin/ });
    await self.getByRole('button', { name: 'Actions for Ada Admin' }).click();
    await ada.getByRole('menuitem', { name: /Remove/ }).click();
    await ada.getByRole('button', { name: 'Remove', exact: true }).click();
    await ada.getByRole('dialog').getByText('keeps at least one admin').waitFor();
    await ada.getByRole('button', { name: 'Cancel' }).click();

    await row.getByRole('button', { name: 'Actions for Vera Viewer' }).click();
    await ada.getByRole('menuitem', { name: /Remove/ }).click();
    await ada.getByRole('button', { name: 'Remove', exact: true }).click();
    await row.waitFor({ state: 'detached' });
    // Nobody reloads her page: its live stream is closed with 4403, and it looks who she is now.
    await vera.getByText('you were removed from the tenant').waitFor();

    await ada.getByRole('button', { name: 'Invite', exact: true }).click();
    await ada.getByLabel('E-mail address', { exact: true }).fill(viewer.email);
    await ada.getByRole('dialog').getByLabel('Role').selectOption('ENGINEER');
    await shoot(ada, 'invite');
    expect(await seriousViolations(ada)).toEqual([]);
    await ada.getByRole('button', { name: 'Create invitation' }).click();
    const link = (await ada.getByTestId('invitation-link').textContent())?.trim() ?? '';
    await shoot(ada, 'link');
    await ada.getByRole('button', { name: 'Done' }).click();
    const pending = ada.getByRole('region', { name: 'Pending invitations' });
    await pending.getByText(viewer.email).waitFor();
    await shoot(ada, 'pending');
    expect(await seriousViolations(ada)).toEqual([]);

    await vera.goto(link);
    await vera.getByRole('heading', { name: `Join ${ready.tenant.name}` }).waitFor();
    await shoot(vera, 'accept');
    expect(await seriousViolations(vera)).toEqual([]);
    await vera.getByRole('button', { name: 'Accept as Engineer' }).click();
    await vera.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'New device' }).waitFor();
    await vera.goto(link);
    await vera.getByText('It was used already').waitFor();
    await ada.reload();
    await row.getByText('Engineer').waitFor();
    await pending.waitFor({ state: 'detached' });
    await vera.context().close();
    await ada.context().close();
  });

  it('leads somebody who is signed out through the sign-in and back to the invitation', async () => {
    const { memberInvite } = await ask<{ memberInvite: { link: string } }>(
      ready.graphql,
      ready.apiKey,
      'mutation { memberInvite(input: { email: "somebody@example.test", role: VIEWER }) { ... on MemberInviteSuccess { link } } }',
    );
    const engineer = ready.users.find(({ role }) => role === 'ENGINEER');
    const page = await (await browser.newContext()).newPage();
    await page.goto(memberInvite.link);
    await page.getByLabel('E-mail').fill(engineer?.email ?? '');
    await page.getByLabel('Password').fill(engineer?.password ?? '');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('another e-mail address').waitFor();
    await shoot(page, 'refused');
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });

  it('gives an API key scopes', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ADMIN');
    await page.goto(`${ready.http}/settings/api-keys`);
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name').fill('Graphs');
    await page.getByLabel('Limit it to some').check();
    await page.getByLabel('telemetry.read').check();
    await shoot(page, 'scopes');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create key' }).click();
    const token = (await page.getByTestId('api-key-token').textContent())?.trim() ?? '';
    const { viewer } = await ask<{ viewer: { permissions: string[] } }>(
      ready.graphql,
      token,
      '{ viewer { permissions } }',
    );
    expect(viewer.permissions).toEqual(['telemetry.read']);
    await page.getByRole('button', { name: 'Done' }).click();
    await page
      .getByRole('row', { name: /Graphs/ })
      .getByText('only telemetry.read')
      .waitFor();
    await page.context().close();
  });
});
