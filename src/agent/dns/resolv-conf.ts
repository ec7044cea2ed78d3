import { isIP } from 'node:net';

/** What of resolv.conf(5) a forwarder needs. */
export interface ResolvConf {
  /** Addresses of servers. */
  readonly servers: readonly string[];
  readonly search: readonly string[];
}

export function parseResolvConf(text: string): ResolvConf {
  const servers: string[] = [];
  let search: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && isIP(values[0] ?? '') !== 0) servers.push(values[0]);
    // The last of both counts.
    if (word === 'search' || word === 'domain') search = values;
  }
  return { servers, search };
}
