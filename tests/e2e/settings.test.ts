import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';
import { until } from '#tests/kit/wait.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

describe('the settings', () => {
  it('let an admin make, use, rotate and revoke an API key, and find it all in the audit log', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ADMIN');
    await page.getByRole('link', { name: 'API keys' }).click();
    await page.getByRole('heading', { level: 1, name: 'API keys' }).waitFor();
    await page.getByRole('button', { name: 'New API key' }).click();
    await page.getByLabel('Name').fill('Nightly report');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create key' }).click();
    const token = (await page.getByTestId('api-key-token').textContent())?.trim() ?? '';
    const { viewer } = await ask<{ viewer: { name: string; role: string } }>(
      ready.graphql,
      token,
      '{ viewer { name role } }',
    );
    expect(viewer).toEqual({ name: 'Nightly report', role: 'VIEWER' });
    await page.getByRole('button', { name: 'Done' }).click();

    const row = page.getByRole('row', { name: /Nightly report/ });
    await row.getByText('Active').waitFor();
    await row.getByRole('button', { name: 'Actions for Nightly report' }).click();
    await page.getByRole('menuitem', { name: /Rotate/ }).click();
    await page.getByRole('button', { name: 'Rotate', exact: true }).click();
    const rotated = (await page.getByTestId('api-key-token').textContent())?.trim() ?? '';
    expect(rotated).not.toBe(token);
    await page.getByRole('button', { name: 'Done' }).click();
    await row.getByText('Rotating').waitFor();
    await row.getByRole('button', { name: 'Actions for Nightly report' }).click();
    await page.getByRole('menuitem', { name: /Revoke/ }).click();
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await row.getByText('Revoked').waitFor();
    await expect(ask(ready.graphql, rotated, '{ viewer { name } }')).rejects.toThrow('revoked');
    expect(await seriousViolations(page)).toEqual([]);

    await page.getByRole('link', { name: 'Audit log' }).click();
    for (const what of ['Revoked an API key', 'Rotated an API key', 'Created an API key'])
      await page
        .getByRole('row', { name: /Nightly report/ })
        .getByRole('button', { name: what })
        .waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Revoked an API key' }).click();
    await page.getByRole('dialog').getByText('revokedAt').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });

  it('let an engineer give a device a second token and revoke the first', async () => {
    const { device } = ready;
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await page.goto(`${ready.http}/devices/${encodeURIComponent(device.key)}/credentials`);
    await page.getByRole('button', { name: 'Issue token' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Issue token' }).click();
    const token = (await page.getByTestId('issued-token').textContent())?.trim() ?? '';
    await page.getByRole('button', { name: 'Done' }).click();
    await mosquittoPub(ready.mqtt, { ...device, password: token }, { t: 1 });
    await page.getByRole('button', { name: `Revoke token ${device.password.slice(-4)}` }).click();
    await page.getByLabel('Reason').fill('rotated');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('is revoked.').waitFor();
    // The gateways hear of it through the outbox.
    await until('the first token to be refused', () =>
      mosquittoPub(ready.mqtt, device, { t: 2 }).then(
        () => false,
        () => true,
      ),
    );
    await page.context().close();
  });

  it('are closed to everybody else', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    for (const path of ['/settings/api-keys', '/settings/audit']) {
      await page.goto(`${ready.http}${path}`);
      await page.getByText('Your role does not allow this').waitFor();
    }
    await page.context().close();
  });
});
