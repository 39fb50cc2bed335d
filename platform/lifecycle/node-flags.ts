/** The flags of Node.js that our processes run with; those of the agent are on servers where every megabyte is its users'. */

/**
 * New objects live in a space of up to three times this many MiB, and an idle process keeps what it once grew to: with Node's own
 * 16 MiB the server rests at half as much memory again (bench/NOTES.md).
 */
export const serverFlags = ['--enable-source-maps', '--max-semi-space-size=4'] as const;
export const agentFlags = ['--max-semi-space-size=2'] as const;
