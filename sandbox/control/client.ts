/** Commands a sandbox that runs in another process. */
import type { Control } from './commands.ts';
import { controlOf } from './control.ts';

/** What the sandbox answered to a command it could not carry out. */
export class ControlRefused extends Error {
  readonly status: number;

  constructor(command: string, status: number, message: string) {
    super(`The sandbox refused ${command} (${status}): ${message}`);
    this.status = status;
  }
}

export interface SandboxConnection {
  /** The sandbox's base, such as `http://127.0.0.1:7781`. */
  readonly url: string;
  /** `controlToken` of its configuration. */
  readonly token: string;
}

export function connectSandbox({ url, token }: SandboxConnection): Control {
  return controlOf(async (name, input) => {
    const response = await fetch(new URL(`/_sandbox/${name}`, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(input),
    });
    const answer: unknown = await response.json();
    if (!response.ok) throw new ControlRefused(name, response.status, (answer as { message: string }).message);
    return answer;
  });
}
