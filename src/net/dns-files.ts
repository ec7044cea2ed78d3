import { isIP } from 'node:net';

/** hosts(5): lower-case name → addresses in order. */
export function parseHostsFile(text: string): Map<string, string[]> {
  const hosts = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [address, ...names] = fields(line);
    if (address === undefined || isIP(address) === 0) continue;
    for (const name of names) {
      const known = hosts.get(name.toLowerCase());
      if (known === undefined) hosts.set(name.toLowerCase(), [address]);
      else known.push(address);
    }
  }
  return hosts;
}

/** The part of resolv.conf(5) that Node's resolver leaves to its caller. */
export interface ResolvConf {
  readonly search: readonly string[];
  /** Names with fewer dots try the search domains first. */
  readonly ndots: number;
}

/** resolv.conf(5) allows 15. */
const ndotsMax = 15;

export function parseResolvConf(text: string): ResolvConf {
  let search: readonly string[] = [];
  let ndots = 1;
  for (const line of text.split('\n')) {
    const [keyword, ...values] = fields(line);
    // The last of `search` and `domain` wins.
    if (keyword === 'search') search = values;
    else if (keyword === 'domain') search = values.slice(0, 1);
    else if (keyword === 'options') ndots = ndotsOption(values) ?? ndots;
  }
  return { search, ndots };
}

function ndotsOption(options: readonly string[]): number | undefined {
  for (const option of options) {
    const match = /^ndots:(\d+)$/.exec(option);
    if (match !== null) return Math.min(Number(match[1]), ndotsMax);
  }
  return undefined;
}

function fields(line: string): string[] {
  return line
    .replace(/[#;].*$/, '')
    .split(/\s+/)
    .filter((field) => field !== '');
}

/** The names to ask for, in order: with search domains, and as it is. */
export function searchNames(name: string, search: readonly string[], ndots: number): string[] {
  if (name.endsWith('.')) return [name.slice(0, -1)];
  const dots = name.split('.').length - 1;
  const searched = search.map((domain) => `${name}.${domain.replace(/^\.|\.$/g, '')}`);
  return dots >= ndots ? [name, ...searched] : [...searched, name];
}
