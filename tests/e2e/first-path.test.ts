import type { Browser, Locator } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seriousViolations } from '#tests/kit/accessibility.ts';
import { openBrowser, signIn } from '#tests/kit/browser.ts';
import { ask } from '#tests/kit/graphql.ts';
import { mosquittoPub } from '#tests/kit/mosquitto.ts';
import { demoTenant } from '#tests/kit/shared-platform.ts';
import { openSubscriber } from '#tests/kit/subscriber.ts';
import { until } from '#tests/kit/wait.ts';

const ready = demoTenant();
const opened = new AsyncDisposableStack();
let browser: Browser;

beforeAll(async () => {
  browser = opened.use(await openBrowser());
});
afterAll(() => opened.disposeAsync());

/** Whether no part of it is cut off by the sides of the screen. */
const isWhole = (shown: Locator): Promise<boolean> =>
  shown.evaluate((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left >= 0 && right <= document.documentElement.clientWidth;
  });

describe('one message', () => {
  it('published with mosquitto_pub is queryable and has reached a subscriber and the open console page', async () => {
    const { device } = ready;
    await using subscriber = await openSubscriber(Number(new URL(ready.http).port), ready.apiKey);
    const page = await signIn(await browser.newContext(), ready, 'VIEWER');
    await page.goto(`${ready.http}/devices/${encodeURIComponent(device.key)}`);
    await page.getByRole('heading', { level: 1 }).waitFor();

    await mosquittoPub(ready.mqtt, device, {
      ts: Date.now(),
      seq: 4711,
      metrics: { temperature: 21.5, door: 'open' },
    });

    await page.locator('[data-testid=latest-values] [data-metric=temperature]').getByText('21.5').waitFor();
    await until('the subscriber', () => subscriber.seen.get(`${device.key}/4711`) === 1);
    const data = await until('the query', async () => {
      const answer = await ask<{
        device: {
          latest: { metric: string; value: unknown }[];
          readings: { nodes: { messageId: string }[] };
        };
      }>(
        ready.graphql,
        ready.apiKey,
        `query ($key: String!) { device(by: { key: $key }) { latest { metric value } readings(first: 1) { nodes { messageId } } } }`,
        { key: device.key },
      );
      return answer.device.latest.length > 0 && answer.device;
    });
    expect(data.latest).toContainEqual({ metric: 'temperature', value: 21.5 });
    expect(data.readings.nodes).toEqual([{ messageId: '4711' }]);

    await mosquittoPub(ready.mqtt, device, {
      ts: Date.now(),
      seq: 4712,
      metrics: { temperature: 22.5, door: 'shut' },
    });
    await page.locator('[data-testid=latest-values] [data-metric=temperature]').getByText('22.5').waitFor();
    await page.getByTestId('live-chart').locator('canvas').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.context().close();
  });
});

describe('the console', () => {
  it('takes an engineer from an empty form to the first message of a new device', async () => {
    const page = await signIn(await browser.newContext(), ready, 'ENGINEER');
    await page.goto(`${ready.http}/new-device`);
    await page.getByLabel('Key', { exact: true }).fill('e2e-meter');
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('button', { name: /create/i }).click();
    const token = await page.getByTestId('device-token').textContent();
    expect(await page.getByTestId('first-message').getAttribute('data-state')).toBe('waiting');
    await mosquittoPub(
      ready.mqtt,
      {
        ...ready.device,
        key: 'e2e-meter',
        username: `${ready.tenant.slug}/e2e-meter`,
        password: token?.trim() ?? '',
      },
      { temperature: 19 },
    );
    await page.locator('[data-testid=first-message][data-state=received]').waitFor();
    await page.context().close();
  });

  it('lists the fleet with its presence, live, and finds a device', async () => {
    const page = await signIn(await browser.newContext(), ready, 'VIEWER');
    await page.goto(`${ready.http}/devices`);
    await page.getByText('Online').first().waitFor();
    expect(await seriousViolations(page)).toEqual([]);
    await page.getByRole('searchbox').first().fill(ready.device.key);
    await page.waitForURL(/search|q=/);
    await page
      .getByRole('table', { name: 'Devices' })
      .locator(`a[href$="/devices/${encodeURIComponent(ready.device.key)}"]`)
      .click();
    await page.waitForURL(new RegExp(`/devices/${ready.device.key}`));
    await page.context().close();
  });

  it('does not let a viewer add devices', async () => {
    const page = await signIn(await browser.newContext(), ready, 'VIEWER');
    await page.goto(`${ready.http}/new-device`);
    await page.getByText('Your role does not allow this').waitFor();
    await page.context().close();
  });

  it('works on a narrow screen in dark mode', async () => {
    const page = await signIn(
      await browser.newContext({ viewport: { width: 375, height: 700 }, colorScheme: 'dark' }),
      ready,
      'VIEWER',
    );
    for (const path of [
      '/devices',
      `/devices/${ready.device.key}`,
      `/devices/${ready.device.key}/timeline`,
    ]) {
      await page.goto(`${ready.http}${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBe(0);
      const tab = page.getByRole('navigation', { name: 'Device' }).locator('[aria-current=page]');
      if (path !== '/devices') await expect.poll(() => isWhole(tab)).toBe(true);
      expect(await seriousViolations(page)).toEqual([]);
    }
    await page.context().close();
  });
});
