import type { AdminRequest } from './invocation.ts';

const timeoutMs = 60_000;

/** @returns what is printed, and whether it went well */
export async function requestAdmin({
  method,
  path,
  body,
  port,
}: AdminRequest): Promise<{ readonly text: string; readonly isGood: boolean }> {
  try {
    const answer = await fetch(`http://localhost:${port}/${path.replace(/^\//, '')}`, {
      method,
      ...(body === '' ? {} : { body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const text = await answer.text();
    if (answer.status < 200 || answer.status > 299)
      return { text: `Error: received unsuccessful status code ${answer.status}: ${text}\n`, isGood: false };
    return { text: `${text}\n`, isGood: true };
  } catch (error) {
    const { cause, message } = error as Error;
    return { text: `Error: ${cause instanceof Error ? cause.message : message}\n`, isGood: false };
  }
}
