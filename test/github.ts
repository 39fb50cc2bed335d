/** The sandbox as the GitHub of a test, in a folder of its own, with Landfall's app registered there. */
import pino from 'pino';
import { createGithubApp, type GithubApp } from '../platform/github/app.ts';
import { startSandbox, type Sandbox } from '../sandbox/server.ts';
import { appId, keys, sandboxOptions, temporaryFolder, webhookSecret } from '../sandbox/testing/harness.ts';

export interface TestGithub {
  sandbox: Sandbox;
  /** As operators configure the app. */
  config: { appId: number; privateKey: string; webhookSecret: string; apiUrl: string; url: string };
  app: GithubApp;
  close(): Promise<void>;
}

/** @param now The clock of the app. */
export async function startTestGithub(now: () => Date): Promise<TestGithub> {
  const folder = await temporaryFolder();
  const sandbox = await startSandbox(sandboxOptions(folder.path));
  const { apiUrl, url } = sandbox;
  const config = { appId, privateKey: keys.privateKey, webhookSecret, apiUrl, url };
  const log = pino({ level: 'silent' });
  return {
    sandbox,
    config,
    app: createGithubApp({ ...config, log, now, throttle: { enabled: false } }),
    async close() {
      await sandbox.close();
      await folder.remove();
    },
  };
}
