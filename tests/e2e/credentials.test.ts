import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { strFromU8, unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { post } from '#tests/kit/http-device.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { ownTenant } from '#tests/kit/shared-platform.ts';
import { until } from '#tests/kit/wait.ts';

const run = promisify(execFile);
const ready = ownTenant(import.meta.filename);
const opened = new AsyncDisposableStack();
const folder = mkdtempSync(join(tmpdir(), 'fleetgraph-bundle-'));
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(async () => {
  await opened.disposeAsync();
  rmSync(folder, { recursive: true, force: true });
});

/** What a click saves. */
async function saved(page: Page, click: () => Promise<void>): Promise<Buffer> {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return readFileSync(await download.path());
}

/** Puts the files of a bundle into a folder of their own and runs its shell program. */
async function runBundle(zip: Buffer, name: string): Promise<void> {
  const files = unzipSync(new Uint8Array(zip));
  expect(Object.keys(files).sort()).toEqual(
    [
      'ca.crt',
      'config.json',
      'device.crt',
      'device.key',
      'publish.c',
      'publish.mjs',
      'publish.py',
      'publish.sh',
    ].sort(),
  );
  for (const [file, bytes] of Object.entries(files)) writeFileSync(join(folder, `${name}.${file}`), bytes);
  const local = strFromU8(files['publish.sh'] ?? new Uint8Array()).replace(
    /\b(ca\.crt|device\.crt|device\.key)\b/g,
    (file) => join(folder, `${name}.${file}`),
  );
  await run('sh', ['-c', local], { timeout: 60_000 });
}

const newDevice = async (page: Page, key: string, access: string) => {
  await page.goto(`${ready.http}/new-device`);
  await page.getByLabel('Key', { exact: true }).fill(key);
  await page.getByRole('radio', { name: access }).check();
  expect(await seriousViolations(page)).toEqual([]);
  await page.getByRole('button', { name: 'Create device' }).click();
};

describe('credentials in the console', () => {
  it('lead from a new device with a certificate to its first message, through renewal and revocation', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await newDevice(page, 'certified', 'Certificate and key');
    await page.getByRole('button', { name: 'Make certificate' }).click();
    const download = page.getByRole('button', { name: 'Download certified.zip' });
    await download.waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    const first = await saved(page, () => download.click());
    await until('the certificate to be known', () => runBundle(first, 'first').then(() => true));
    await page.locator('[data-testid="first-message"][data-state="received"]').waitFor();

    await page.goto(`${ready.http}/devices/certified/credentials`);
    await page.getByRole('button', { name: /^Renew certificate/ }).click();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByLabel('Keep the current certificate good').selectOption({ label: 'For a day' });
    await page.getByRole('button', { name: 'Renew', exact: true }).click();
    const second = await saved(page, () =>
      page.getByRole('button', { name: 'Download certified.zip' }).click(),
    );
    await page.getByRole('button', { name: 'Done' }).click();
    await until('the new certificate to be known', () => runBundle(second, 'second').then(() => true));
    await runBundle(first, 'first');
    await page.getByText('Being replaced').waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: 'Active' })
      .getByRole('button', { name: /^Revoke certificate/ })
      .click();
    await page.getByLabel('Reason').selectOption({ label: 'Somebody else may have the key' });
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('is revoked.').waitFor();
    await until('the revoked one to be refused', () =>
      runBundle(second, 'second').then(
        () => false,
        () => true,
      ),
    );

    await page.getByRole('link', { name: 'Certificates' }).click();
    await page.getByText('Generation 1').waitFor();
    await page.getByRole('button', { name: 'Expiring' }).waitFor();
    await page.getByRole('row', { name: /certified/ }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Revoked' }).click();
    await page.getByRole('row', { name: /Somebody else may have the key/ }).waitFor();
    await page.context().close();
  });

  it('hand a new device a claim code that is read out and exchanged for a token', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await newDevice(page, 'claimed', 'Claim code');
    await page.getByRole('button', { name: 'Make claim code' }).click();
    const code = (await page.getByTestId('claim-code').textContent()) ?? '';
    expect(await seriousViolations(page)).toEqual([]);
    const { body } = await post(`${ready.http}/enroll/v1/claim`, { code });
    const device = {
      tenant: body.tenant,
      key: body.device_key,
      username: body.username,
      password: body.token,
    };
    await until('the token to be known', () => mosquittoPub(ready.mqtt, device, { t: 1 }).then(() => true));
    await page.locator('[data-testid="first-message"][data-state="received"]').waitFor();
    await page.context().close();
  });

  it('come in a file for many devices at once, after a look at what is wrong', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await page.getByRole('link', { name: 'Import' }).click();
    await page.getByLabel('File of devices').setInputFiles({
      name: 'devices.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('key,name,latitude\nfrom-file-1,First,\nfrom-file-2,Second,\nbad key,,x\n'),
    });
    const preview = page.getByRole('region', { name: 'Preview' });
    await preview.getByRole('row', { name: /4 bad key latitude/ }).waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Import 2 devices' }).click();
    const file = await saved(page, () => page.getByRole('button', { name: 'Download credentials' }).click());
    const [, line = ''] = file.toString().split('\r\n');
    const [key = '', username = '', password = ''] = line.split(',');
    await mosquittoPub(ready.mqtt, { tenant: ready.tenant.slug, key, username, password }, { t: 1 });
    await page.getByRole('link', { name: 'All devices' }).click();
    await page.getByRole('link', { name: 'First', exact: true }).waitFor();
    await page.context().close();
  });

  it('have an authority that an admin replaces while devices stay connected', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ADMIN');
    await page.goto(`${ready.http}/settings/certificates`);
    await page.getByText('Generation 1').waitFor();
    await page.getByRole('button', { name: 'Replace…' }).click();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Replace', exact: true }).click();
    await page.getByText('Generation 2').waitFor();
    await page.getByText('Still trusted').waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });
});
