import { askHttp } from './http-request.ts';

const timeoutMs = 2000;
/** A page of stats of a large proxy. */
const bodyBytesMax = 256 << 20;

/** The proxy's admin pages, as its neighbours reach them. */
export class ProxyAdmin {
  private readonly base: string;

  /** @param localhost 127.0.0.1 or ::1 */
  constructor(localhost: string, port: number) {
    this.base = `http://${localhost.includes(':') ? `[${localhost}]` : localhost}:${port}`;
  }

  /** Stats by their names. @throws Error where it does not answer */
  async stats(query: string): Promise<Map<string, string>> {
    const answer = await askHttp({ url: `${this.base}/stats?${query}`, timeoutMs, bodyBytesMax });
    if (answer.status !== 200) throw new Error(`the admin answered with ${answer.status}`);
    const found = new Map<string, string>();
    for (const line of answer.body.toString().split('\n')) {
      const colon = line.lastIndexOf(': ');
      if (colon !== -1) found.set(line.slice(0, colon), line.slice(colon + 2).trim());
    }
    return found;
  }

  /** @throws Error where it does not answer */
  async post(path: string): Promise<void> {
    await askHttp({ url: `${this.base}/${path}`, method: 'POST', timeoutMs, bodyBytesMax });
  }
}
