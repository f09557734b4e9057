import { spawnSync } from 'node:child_process';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';

const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

async function send(payload: unknown): Promise<void> {
  const { device, mqtt } = ready;
  await mosquittoPub(mqtt, device, payload);
}

describe('what was turned away', () => {
  it('is found, made right, sent again and followed to its row', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ADMIN');
    await page.getByRole('link', { name: 'Quarantine' }).click();
    await page.getByRole('heading', { level: 1, name: 'Quarantine' }).waitFor();
    await page.getByText('Nothing was turned away').waitFor();
    await send('temperature 21.5');
    await send({ metrics: { temperature: null, humidity: 41 } });
    await page.getByRole('button', { name: 'Refresh' }).click();
    await page.getByRole('row', { name: /Wrong shape/ }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);

    await page
      .getByRole('row', { name: /Wrong shape/ })
      .getByRole('button', { name: 'Wrong shape' })
      .click();
    const payload = page.getByLabel(/^Payload/);
    await payload.fill('{"metrics":{"temperature":[]}}');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByRole('alert').getByText('Wrong value').waitFor();
    await payload.fill('{"metrics":{"temperature":21.5,"humidity":40}}');
    await page.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('It would be stored').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Send the change' }).click();
    await page.getByText(/1 of 1 sent again · 1 stored/).waitFor();

    await page.getByRole('button', { name: 'Replay all…' }).click();
    await page.getByLabel('Payloads').selectOption({ label: 'without the field that is wrong' });
    await page.getByRole('button', { name: 'Dry run' }).click();
    await page.getByText('1 would be accepted').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Send again' }).click();
    await page.getByText(/1 of 1 sent again · 1 stored/).waitFor();

    await page
      .getByRole('row', { name: /Wrong shape/ })
      .getByText('Replayed')
      .waitFor();
    await page
      .getByRole('row', { name: /Wrong shape/ })
      .getByRole('button', { name: 'Wrong shape' })
      .click();
    await page.getByRole('link', { name: 'Show the reading' }).click();
    await page.getByRole('heading', { level: 1, name: 'Message' }).waitFor();
    await page.getByText('{"humidity":40,"temperature":21.5}').waitFor();
    await page.getByText(/^relay-/).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
  });

  it('is part of the balance, which npm run conserve finds too', async () => {
    const page = await signIn(await browser.newContext(), ready, 'VIEWER');
    await page.goto(`${ready.http}/ingest`);
    await page.getByText('Everything has its place').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    const { status, stdout } = spawnSync(process.execPath, ['standalone/conserve/main.ts'], {
      env: { ...process.env, DATABASE_URL: ready.database, NATS_URL: ready.nats },
      encoding: 'utf8',
    });
    expect(stdout).toContain('Everything that was accepted has its place.');
    expect(status).toBe(0);
  });
});
