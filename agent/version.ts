/** The version that the agent reports, from the package it was built of. */
import packageJson from '../package.json' with { type: 'json' };

export const agentVersion: string = packageJson.version;
