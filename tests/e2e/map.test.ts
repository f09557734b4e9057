import { afterAll, beforeAll, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { demoTenant } from '#tests/kit/shared-platform.ts';

const ready = demoTenant();
const opened = new AsyncDisposableStack();

beforeAll(async () => {});
afterAll(() => opened.disposeAsync());

it('shows the fleet of the list on a map, asks no one else for pictures, and opens what is chosen', async () => {
  await using browser = await openBrowser();
  const page = await signIn(await browser.newContext(), ready, 'VIEWER');
  const elsewhere: string[] = [];
  page.on('request', (request) => {
    if (!request.url().startsWith(ready.http) && !request.url().startsWith('data:'))
      elsewhere.push(request.url());
  });
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Map' }).click();
  const list = page.getByRole('complementary', { name: 'Devices on the map' });
  await list.getByRole('heading', { name: /on the map/ }).waitFor();
  expect(await seriousViolations(page)).toEqual([]);

  const map = page.getByRole('region', { name: 'Map' });
  const all = await list.getByRole('listitem').count();
  const box = await map.boundingBox();
  if (!box) throw new Error('the map has no size');
  // The demo's devices are at two sites: whichever mark is found, some are there and some are not.
  for (let x = 10; x < box.width - 10 && (await list.getByText(/ here$/).count()) === 0; x += 15) {
    for (let y = 90; y < box.height - 10; y += 15) await page.mouse.click(box.x + x, box.y + y);
  }
  await list.getByText(/ here$/).waitFor();
  expect(await list.getByRole('listitem').count()).toBeLessThan(all);
  await list.getByRole('link').first().click();
  await page.getByRole('navigation', { name: 'Device' }).waitFor();
  expect(elsewhere.filter((url) => !url.startsWith('blob:'))).toEqual([]);
});
