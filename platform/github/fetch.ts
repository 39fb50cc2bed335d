/** The fetch under every request to GitHub: one deadline for the answer and its whole body. */

export type Fetch = typeof globalThis.fetch;

/** Answers that never carry a body, and may not be given one. */
const bodiless = new Set([204, 205, 304]);

/**
 * Octokit takes a body that breaks off for an empty one, so the body is read here, where breaking off is an error.
 */
export function fetchWithDeadline(deadlineMs: number, fetch: Fetch): Fetch {
  return async (url, init) => {
    const deadline = AbortSignal.timeout(deadlineMs);
    const signal = init?.signal ? AbortSignal.any([init.signal, deadline]) : deadline;
    const response = await fetch(url, { ...init, signal });
    const body = await response.arrayBuffer();
    return new Response(bodiless.has(response.status) ? null : body, {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    });
  };
}
