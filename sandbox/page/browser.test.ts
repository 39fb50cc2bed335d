import { access } from 'node:fs/promises';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { useStage } from '../testing/use-stage.ts';

const stage = useStage();
let browser: Browser;
let page: Page;
const problems: string[] = [];

async function findChromium(): Promise<string> {
  for (const path of ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']) {
    const found = await access(path).then(
      () => true,
      () => false,
    );
    if (found) return path;
  }
  throw new Error('This test needs a browser: apt-get install chromium');
}

beforeAll(async () => {
  const { sandbox, repositoryId } = stage;
  await sandbox.commit({ repositoryId, branch: 'topic', author: 'ada', message: 'Topic', files: { t: 't' } });
  await sandbox.openPull({ repositoryId, author: 'ada', title: 'A topic', head: 'topic' });
  browser = await chromium.launch({ executablePath: await findChromium(), args: ['--no-sandbox', '--disable-gpu'] });
  page = await browser.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(`${sandbox.url}/acme/shop`);
}, 60_000);

afterAll(async () => {
  await browser.close();
  expect(problems).toEqual([]);
});

it('shows what happens without a reload, and keeps what is being typed', async () => {
  const { sandbox, repositoryId } = stage;
  const box = page.locator('#pull-1 textarea');
  await box.fill('half a sente');
  await sandbox.comment({ repositoryId, number: 1, author: 'grace', body: 'meanwhile' });
  await page.locator('#pull-1 .comment', { hasText: 'meanwhile' }).waitFor();
  await sandbox.commit({ repositoryId, branch: 'main', author: 'grace', message: 'Fresh commit', files: { f: 'f' } });
  await page.locator('#commits li', { hasText: 'Fresh commit' }).waitFor();
  expect(await box.inputValue()).toBe('half a sente');
});

it('sends a comment, shows it once, and empties the box', async () => {
  const box = page.locator('#pull-1 textarea');
  await box.fill('/deploy staging');
  await page.locator('#pull-1 button', { hasText: 'Comment' }).click();
  await page.locator('#pull-1 .comment', { hasText: '/deploy staging' }).waitFor();
  expect(await page.locator('#pull-1 .comment', { hasText: '/deploy staging' }).count()).toBe(1);
  expect(await box.inputValue()).toBe('');
});

it('never runs what others wrote', async () => {
  const { sandbox, repositoryId } = stage;
  const body = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
  await sandbox.comment({ repositoryId, number: 1, author: 'mallory', body });
  await page.locator('#pull-1 .comment', { hasText: 'onerror' }).waitFor();
  expect(await page.title()).toBe('acme/shop');
  await page.reload();
  expect(await page.title()).toBe('acme/shop');
});
