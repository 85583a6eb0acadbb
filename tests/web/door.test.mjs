// A daemon that asks for a token, and one below a path prefix.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { canvasOf, closePage, launch, openPage, startDaemon, waitFor } from './harness.mjs';

const TOKEN = 'a-token-of-this-test-0123456789abcdef';
const QUICK = { kind: 'ae', params: { train_limit: 1000, epochs: 2, latent_dim: 2 } };
let browser;
let dir;

before(async () => {
  browser = await launch();
  dir = await mkdtemp(path.join(tmpdir(), 'latentd-token-'));
  await writeFile(path.join(dir, 'token'), `${TOKEN}\n`, { mode: 0o600 });
});
after(async () => {
  await browser?.close();
  await rm(dir, { recursive: true, force: true });
});

test('the token comes from the address or the dialog, and serves streams, pictures and files', async () => {
  const daemon = await startDaemon({ args: ['--token-file', path.join(dir, 'token')], token: TOKEN });
  try {
    const { id } = await daemon.api('v1/jobs', QUICK);
    let page = await openPage(browser, `${daemon.url}#token=${TOKEN}`);
    await page.locator('.run-link').first().click();
    assert.ok(!page.url().includes(TOKEN));
    await page.locator('.pill', { hasText: 'succeeded' }).waitFor({ timeout: 30000 });
    await waitFor('the decoded picture', async () => (await canvasOf(page.locator('canvas.decoded'))).width === 28);
    await waitFor('a preview', async () => (await canvasOf(page.locator('canvas.grid').first())).width > 28);
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'metrics.csv' }).click()]);
    assert.equal(file.suggestedFilename(), `${id}.csv`);
    assert.ok(!(await page.locator('main').textContent()).includes(TOKEN));
    assert.deepEqual(page.complaints, []);
    await closePage(page);

    page = await openPage(browser, `${daemon.url}#/runs/${id}`, { allow: /status of 401/ });
    await page.getByRole('alert').filter({ hasText: 'asks for its token' }).waitFor();
    for (const [token, then] of [['wrong', page.getByText('It does not know the one it was given.')], [TOKEN, page.locator('.run-head')]]) {
      await page.getByRole('textbox', { name: 'Token' }).fill(token);
      await page.getByRole('button', { name: 'Continue' }).click();
      await then.waitFor();
    }
    assert.equal(await page.locator('dialog').count(), 0);
    assert.deepEqual(page.complaints, []);
    await closePage(page);

    // Pasted into a page that is open already, where only the hash changes.
    page = await openPage(browser, daemon.url, { allow: /status of 401/ });
    await page.getByRole('textbox', { name: 'Token' }).waitFor();
    await page.evaluate((token) => { location.hash = `#token=${token}`; }, TOKEN);
    await page.locator('.run-link').first().waitFor();
    assert.equal(new URL(page.url()).hash, '#/');
    assert.equal(await page.locator('dialog').count(), 0);
    assert.deepEqual(page.complaints, []);
    await closePage(page);
  } finally {
    await daemon.stop();
  }
});

test('below a path prefix nothing is asked for outside it', async () => {
  const daemon = await startDaemon({ args: ['--path-prefix', '/deep/latentd'] });
  try {
    const { id } = await daemon.api('v1/jobs', QUICK);
    const page = await openPage(browser, `${daemon.url}deep/latentd/`);
    const outside = [];
    page.on('request', (request) => new URL(request.url()).pathname.startsWith('/deep/latentd/') || outside.push(request.url()));
    await page.reload();
    await page.locator('.run-link').first().click();
    await page.locator('.pill', { hasText: 'succeeded' }).waitFor({ timeout: 30000 });
    await waitFor('the decoded picture', async () => (await canvasOf(page.locator('canvas.decoded'))).width === 28);
    const links = await page.locator('.links a').evaluateAll((all) => all.map((link) => link.href));
    assert.equal(links[0], `${daemon.url}deep/latentd/v1/models/${id}/weights`);
    for (const link of links) assert.equal((await fetch(link)).status, 200, link);
    assert.ok((await page.locator('.command code').last().textContent()).includes('/deep/latentd/v1/jobs/'));
    assert.deepEqual(outside, []);
    assert.deepEqual(page.complaints, []);
    await closePage(page);
  } finally {
    await daemon.stop();
  }
});
