// The dashboard in a real browser: what an operator sees and does while upstreams come and go.
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { answering, RawOrigin, type TestConf } from '../src/testing/index.js';
import { get, serveConf } from '../test/conf-scene.js';
import { hasTool } from '../test/program.js';
import { startOrigin, unusedAddress } from '../test/scene.js';
import { SteadyLoad } from '../test/steady-load.js';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
/** Debian's, without what it would ask the network for. */
const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];
/** A browser takes its time where many tests run at once. */
const PATIENCE_MS = 60_000;
const PHONE = { width: 360, height: 740 };

let browser: Browser;

/** Servers come back a second after they failed, when a request has succeeded. */
function confOf(ports: readonly number[], listen = '%PORT%'): string {
  const servers = ports.map((port) => `server 127.0.0.1:${port} max_fails=1 fail_timeout=1s;`).join(' ');
  return `
    upstream app { zone app 64k; ${servers} }
    server {
      listen ${listen};
      server_name shop.test;
      location / { proxy_pass http://app; }
      location = /broken { return 500; }
      location /dashboard/ { dashboard write=on; }
    }`;
}

/** The page, which has to ask for nothing elsewhere and to find no fault with itself. */
async function openDashboard(conf: TestConf, options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 900 }, ...options });
  const origin = `http://127.0.0.1:${conf.address.port}`;
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // A server that is away is no fault of the page.
    const isAway = message.text().includes('net::ERR_');
    if (message.type() === 'error' && !isAway) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/dashboard/`)) faults.push(`asked for ${request.url()}`);
  });
  onTestFinished(async () => {
    await page.close();
    expect(faults).toEqual([]);
  });
  await page.goto(`${origin}/dashboard/`);
  await page.getByText('Live', { exact: true }).waitFor();
  return page;
}

/** The line of a server once it is in that state, and its colour. */
async function peerIn(page: Page, { port }: { port: number }, state: string): Promise<Locator> {
  const peer = page.locator(`.peer[data-state="${state}"]`, { hasText: `127.0.0.1:${port}` });
  await peer.waitFor();
  return peer;
}

/** "green", "red" or another: what the line's edge is painted with. */
function hueOf(peer: Locator): Promise<string> {
  return peer.evaluate((element) => {
    const [red = 0, green = 0, blue = 0] = getComputedStyle(element)
      .borderLeftColor.match(/\d+/g)!
      .map(Number);
    if (red > 1.5 * green && red > 1.5 * blue) return 'red';
    return green > 1.2 * red && green > blue ? 'green' : 'other';
  });
}

function startLoad(conf: TestConf): SteadyLoad {
  const load = new SteadyLoad(conf.address, 2, () => 'GET /load HTTP/1.1\r\nHost: shop.test\r\n\r\n');
  onTestFinished(() => load.stop());
  return load;
}

describe.skipIf(!hasTool('chromium'))('the dashboard in Chromium', { timeout: PATIENCE_MS }, () => {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  }, PATIENCE_MS);
  afterAll(() => browser?.close());

  it('shows requests under load, an upstream that dies turning red and, once it is back, green', async () => {
    const steady = await startOrigin(answering(() => OK));
    const mortal = await RawOrigin.start(answering(() => OK));
    const conf = await serveConf(confOf([steady.address.port, mortal.address.port]));
    const page = await openDashboard(conf);
    expect(await hueOf(await peerIn(page, mortal.address, 'up'))).toBe('green');
    expect(await page.locator('#requests-per-second').textContent()).toBe('0');
    await page.getByText('All 2 servers are well.').waitFor();

    startLoad(conf);
    await page.locator('#requests-per-second', { hasText: /[1-9]/ }).waitFor();
    await page.locator('#latency', { hasText: /\d (ms|s)$/ }).waitFor();
    await page.locator('.chart canvas').first().waitFor();

    await mortal.stop();
    expect(await hueOf(await peerIn(page, mortal.address, 'unavailable'))).toBe('red');
    await page.getByText(`127.0.0.1:${mortal.address.port} of app is unavailable.`).waitFor();
    expect(await hueOf(await peerIn(page, steady.address, 'up'))).toBe('green');

    await startOrigin(
      answering(() => OK),
      mortal.address.port,
    );
    expect(await hueOf(await peerIn(page, mortal.address, 'up'))).toBe('green');
    await page.getByText('2 changes since this page was opened').click();
    await page
      .getByText(/: up → unavailable/)
      .last()
      .waitFor();
  });

  it('drains a server and puts it back by the keyboard', async () => {
    const origins = [await startOrigin(answering(() => OK)), await startOrigin(answering(() => OK))];
    const conf = await serveConf(confOf(origins.map(({ address }) => address.port)));
    const page = await openDashboard(conf);
    const { port } = origins[1]!.address;
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
    for (let i = 0; (await focused()) !== `Drain 127.0.0.1:${port}`; i++) {
      expect(i).toBeLessThan(20);
      await page.keyboard.press('Tab');
    }
    await page.keyboard.press('Enter');
    await peerIn(page, { port }, 'draining');
    await page.getByText('The one server in use is well. 1 is taken out.').waitFor();
    for (let i = 0; i < 4; i++) await get(conf, '/', '', 'shop.test');
    expect(origins[1]!.connections).toHaveLength(0);
    expect(await focused()).toBe(`Up 127.0.0.1:${port}`);
    await page.keyboard.press('Enter');
    await peerIn(page, { port }, 'up');
    for (let i = 0; i < 4; i++) await get(conf, '/', '', 'shop.test');
    expect(origins[1]!.connections.length).toBeGreaterThan(0);
  });

  it('opens a failed request: where its time went, and the retry', async () => {
    const origin = await startOrigin(answering(() => OK));
    const { port } = await unusedAddress();
    const conf = await serveConf(confOf([port, origin.address.port]));
    for (let i = 0; i < 2; i++) await get(conf, `/cart?item=${i}`, '', 'shop.test');
    const page = await openDashboard(conf);
    const request = page.getByRole('button', { name: /GET \/cart\?item=\d.*2 tries/ });
    await request.focus();
    await page.keyboard.press('Enter');
    expect(await request.getAttribute('aria-expanded')).toBe('true');
    const lines = page.getByRole('list', { name: 'Where the time went' }).getByRole('listitem');
    expect(await lines.nth(0).innerText()).toContain('connect() failed (111: Connection refused)');
    const retry = await lines.nth(1).innerText();
    expect(retry).toContain(`retry: 127.0.0.1:${origin.address.port}`);
    expect(retry).toMatch(/connect [<\d.]+.*first byte [<\d.]+/);
    // It stays where it is while others come.
    await get(conf, '/broken', '', 'shop.test');
    await page.locator('.choice b', { hasText: '2' }).waitFor();
    expect(await page.getByText('/broken').count()).toBe(0);
    await page.keyboard.press('Enter');
    await page.getByText('/broken').waitFor();
    await page.getByRole('button', { name: /^Slowest/ }).click();
    await page.getByText('/cart?item=1').waitFor();
  });

  it('says that the server is away, and goes on when it is back', async () => {
    const origin = await startOrigin(answering(() => OK));
    const conf = await serveConf(confOf([origin.address.port]));
    const page = await openDashboard(conf);
    await conf.stop();
    await page.getByText(/Lost the server: it does not answer/).waitFor();
    await serveConf(confOf([origin.address.port], `127.0.0.1:${conf.address.port}`));
    await page.getByText('Live', { exact: true }).waitFor();
    await page.getByText(/The server was started anew/).waitFor();
  });

  it('fits a phone, and is dark where that is wanted', async () => {
    const { port } = await unusedAddress();
    const conf = await serveConf(confOf([port, 1]));
    const path = `/${'long-path-without-a-break'.repeat(12)}`;
    await get(conf, path, '', 'shop.test');
    const page = await openDashboard(conf, {
      viewport: PHONE,
      colorScheme: 'dark',
      isMobile: true,
      hasTouch: true,
    });
    const brightness = () =>
      page.evaluate(() => {
        const parts = getComputedStyle(document.body).backgroundColor.match(/\d+/g)!.map(Number);
        return Math.max(...parts.slice(0, 3));
      });
    await page.getByRole('button', { name: /GET \/long-path/ }).click();
    await page
      .getByText('no live upstreams')
      .or(page.getByText(/connect\(\) failed/))
      .first()
      .waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    for (const button of await page.getByRole('button').all()) {
      const { height } = (await button.boundingBox())!;
      expect(height).toBeGreaterThanOrEqual(40);
    }
    expect(await brightness()).toBeLessThan(60);
    await page.getByRole('button', { name: 'Colours: auto; change to light' }).click();
    expect(await brightness()).toBeGreaterThan(200);
    await page.reload();
    await page.getByRole('button', { name: 'Colours: light; change to dark' }).waitFor();
    expect(await brightness()).toBeGreaterThan(200);
  });
});
