import { beforeAll, describe, expect, it } from 'vitest';
import { useStage } from '../testing/use-stage.ts';
import { html, link } from './html.ts';
import { outputMarkdown } from './markdown.ts';

const stage = useStage();
let sha: string;
const hostile = `"><script>alert('x')</script><img src=x onerror=alert(1)>`;
const repo = () => ({ owner: stage.owner, repo: stage.repo });

beforeAll(async () => {
  const { sandbox, repositoryId, octokit } = stage;
  const files = { [`${'x'.repeat(5)}.txt`]: 'x' };
  const commit = { repositoryId, branch: 'topic', author: 'ada', files };
  sha = (await sandbox.commit({ ...commit, message: hostile })).sha;
  const pull = await sandbox.openPull({ repositoryId, author: 'ada', title: hostile, head: 'topic', body: hostile });
  await sandbox.comment({ repositoryId, number: pull.number, author: 'ada', body: hostile });
  const deployment = await octokit.rest.repos.createDeployment({
    ...repo(),
    ref: sha,
    auto_merge: false,
    required_contexts: [],
    environment: hostile,
    description: hostile,
  });
  const { id } = deployment.data as { id: number };
  const status = { ...repo(), deployment_id: id, state: 'success' as const, description: hostile };
  await octokit.rest.repos.createDeploymentStatus({ ...status, environment_url: 'https://shop.example/"onclick="x' });
  await octokit.rest.checks.create({
    ...repo(),
    name: hostile,
    head_sha: sha,
    details_url: 'javascript:alert(1)',
    actions: [{ label: '<b>', description: hostile.slice(0, 40), identifier: '"><script>' }],
    output: {
      title: hostile,
      summary: hostile,
      text: hostile,
      annotations: [{ path: hostile, start_line: 1, end_line: 1, annotation_level: 'failure', message: hostile }],
    },
  });
});

async function page(path = '/acme/shop'): Promise<{ text: string; headers: Headers; status: number }> {
  const answer = await fetch(stage.sandbox.url + path, { redirect: 'manual' });
  return { text: await answer.text(), headers: answer.headers, status: answer.status };
}

/** As a browser posts a form of the page. */
function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams(fields);
  const origin = stage.sandbox.url;
  return fetch(origin + path, { method: 'POST', body, headers: { origin, ...headers }, redirect: 'manual' });
}

function submit(form: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  return post(`/acme/shop/${form}`, fields, headers);
}

describe('P71: the page', () => {
  it('encodes whatever people and Apps wrote', async () => {
    const { text } = await page();
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toContain('<img src=x');
    expect(text).not.toMatch(/href="javascript:/i);
    expect(text).not.toMatch(/href="[^"]*"onclick/);
    expect(text.split('&lt;script&gt;').length).toBeGreaterThan(8);
  });

  it('shows Markdown, without what it would load, run or style', () => {
    const shown = outputMarkdown(
      '**bold** [3/4\\]\n\n| a |\n|--:|\n| `x` |\n\n![i](https://a.example/i.png) [j](javascript:alert(1)) <b>h</b>',
    ).text;
    expect(shown).toContain('<strong>bold</strong> [3/4]');
    expect(shown).toContain('<td><code>x</code></td>');
    expect(shown).toContain('&lt;b&gt;h&lt;/b&gt;');
    expect(shown).not.toMatch(/<img|style=|href="javascript/);
  });

  it('runs and loads nothing but its own files', async () => {
    const { headers } = await page();
    const policy = headers.get('content-security-policy');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain('unsafe');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('encodes in its template, and links only to web addresses', () => {
    expect(html`<p title="${'"'}">${['<', html`<b>${'&'}</b>`, null, 7]}</p>`.text).toBe(
      '<p title="&quot;">&lt;<b>&amp;</b>7</p>',
    );
    expect(link('javascript:alert(1)', 'x').text).not.toContain('href');
    expect(link('https://a.example/?a=1&b=2', 'x').text).toContain('href="https://a.example/?a=1&amp;b=2"');
  });
});

describe('what the page shows and does', () => {
  it('shows every address that the API hands out', async () => {
    const { octokit } = stage;
    const pull = await octokit.rest.pulls.get({ ...repo(), pull_number: 1 });
    const commit = await octokit.rest.repos.getCommit({ ...repo(), ref: sha });
    const run = (await octokit.rest.checks.listForRef({ ...repo(), ref: sha })).data.check_runs[0]!;
    const repository = await octokit.rest.repos.get(repo());
    const urls = [pull.data.html_url, commit.data.html_url, run.html_url!, repository.data.html_url];
    for (const url of [...urls, pull.data.user.avatar_url]) {
      const answer = await fetch(url);
      expect([url, answer.status]).toEqual([url, 200]);
    }
  });

  it('takes a comment as the chosen person and tells the App', async () => {
    const chosen = await post('/_visitor', { login: 'grace', back: '/acme/shop' });
    expect(chosen.headers.get('location')).toBe('/acme/shop');
    const cookie = chosen.headers.get('set-cookie')!.split(';')[0]!;
    const answer = await submit('_comment', { number: '1', body: '/deploy\r\nplease' }, { cookie });
    expect(answer.status).toBe(303);
    await stage.sandbox.deliveries.idle();
    const told = stage.receiver.named('issue_comment.created').at(-1)!;
    expect(told.payload).toMatchObject({ comment: { body: '/deploy\nplease' }, sender: { login: 'grace' } });
  });

  it('re-runs a check, presses its button, opens and merges pull requests', async () => {
    const { sandbox, repositoryId, receiver } = stage;
    const [run] = sandbox.state.checkRuns.all();
    await submit('_rerun', { check: String(run!.id) });
    await submit('_press', { check: String(run!.id), identifier: '"><script>' });
    await sandbox.commit({ repositoryId, branch: 'ready', author: 'ada', message: 'm', files: { r: 'r' } });
    expect((await submit('_pull', { head: 'ready', title: 'Ready' })).headers.get('location')).toBe(
      '/acme/shop#pull-2',
    );
    await submit('_merge', { number: '2' });
    await sandbox.deliveries.idle();
    const events = receiver.received.map(({ event }) => event);
    expect(events).toEqual(
      expect.arrayContaining(['check_run.rerequested', 'check_run.requested_action', 'pull_request.closed']),
    );
  });

  it('refuses forms of other sites and of programs, forms that lack something, and pages that are not there', async () => {
    expect((await submit('_merge', { number: '1' }, { origin: 'https://evil.example' })).status).toBe(403);
    expect((await submit('_merge', { number: '1' }, { origin: 'null' })).status).toBe(403);
    const anonymous = { method: 'POST', body: new URLSearchParams({ number: '1' }) };
    expect((await fetch(`${stage.sandbox.url}/acme/shop/_merge`, anonymous)).status).toBe(403);
    expect((await submit('_comment', { number: '1' })).status).toBe(400);
    expect((await submit('_comment', { number: '99', body: 'x' })).status).toBe(400);
    expect((await page('/acme/nothing')).status).toBe(404);
    const answer = await post('/_visitor', { login: 'grace', back: '//evil.example/x' });
    expect(answer.headers.get('location')).toBe('/');
  });

  it('lists all repositories', async () => {
    expect((await page('/')).text).toContain('href="/acme/shop"');
  });
});
