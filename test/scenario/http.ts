import { request } from 'undici';

/** One GET on a connection of its own: a kept one may still belong to the listener before a reload. */
export async function getText(url: string): Promise<string> {
  const { body } = await request(url, { reset: true });
  return body.text();
}
