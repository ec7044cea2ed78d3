import { lookup, Resolver } from 'node:dns/promises';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { parseHostsFile, parseResolvConf, searchNames } from './dns-files.ts';

/** Which addresses are asked for, and which of them count. AUTO prefers IPv6, V4_PREFERRED IPv4. */
export type DnsLookupFamily = 'AUTO' | 'V4_ONLY' | 'V6_ONLY' | 'V4_PREFERRED' | 'ALL';

/** As configured; `cares` asks DNS servers itself, `getaddrinfo` the C library. */
export type DnsResolverOptions =
  | {
      readonly kind: 'cares';
      /** `ip:port` or `[ip]:port`; empty: those of resolv.conf. */
      readonly servers: readonly string[];
      /** The servers above are used only where resolv.conf names none. */
      readonly serversAreFallback: boolean;
      readonly noDefaultSearchDomain: boolean;
      /** Ask for no family that no interface of this machine has. */
      readonly filterUnroutableFamilies: boolean;
      /** 0: c-ares' default. */
      readonly queryTimeoutMs: number;
      /** 0: c-ares' default. */
      readonly queryTries: number;
    }
  | {
      readonly kind: 'getaddrinfo';
      /** After the C library has said "try again"; null: for ever. */
      readonly retries: number | null;
    };

export interface DnsAddress {
  readonly address: string;
  /** 0: not known. */
  readonly ttlSeconds: number;
}

/** A name that does not exist, or has no address of the family, is answered: with none. */
export type DnsAnswer =
  | { readonly kind: 'answered'; readonly addresses: readonly DnsAddress[] }
  | { readonly kind: 'failed'; readonly reason: string };

export interface DnsResolver {
  /** Never rejects. `isWanted`: whether somebody still waits; who retries for ever gives up when nobody does. */
  resolve(name: string, family: DnsLookupFamily, isWanted?: () => boolean): Promise<DnsAnswer>;
}

/** Where the machine keeps what it knows without asking; other paths in tests. */
export interface DnsFiles {
  readonly hosts: string;
  readonly resolvConf: string;
}

const systemFiles: DnsFiles = { hosts: '/etc/hosts', resolvConf: '/etc/resolv.conf' };

/** Envoy's TTL of answers from getaddrinfo, which tells none. */
const getaddrinfoTtlSeconds = 60;

/** Between questions to a C library that says "try again": the first pause, which doubles, and the longest. */
const retryPauseMs = 10;
const retryPauseMaxMs = 1000;

/** c-ares' codes for "the name is there or not, but this is all". */
const emptyCodes: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);

/** What the C library is asked through; another in tests. */
export type LibraryLookup = (
  name: string,
  options: { readonly all: true; readonly family: 4 | 6; readonly verbatim: true },
) => Promise<{ readonly address: string }[]>;

export function openDnsResolver(
  options: DnsResolverOptions,
  files: DnsFiles = systemFiles,
  ask: LibraryLookup = lookup,
): DnsResolver {
  return options.kind === 'cares' ? new CaresResolver(options, files) : new LibraryResolver(options.retries, ask);
}

type Lookup = (family: 4 | 6) => Promise<DnsAnswer>;

/** Source: Envoy `cares/dns_impl.cc`. */
async function resolveFamilies(family: DnsLookupFamily, ask: Lookup): Promise<DnsAnswer> {
  switch (family) {
    case 'V4_ONLY':
      return ask(4);
    case 'V6_ONLY':
      return ask(6);
    case 'AUTO':
      return firstThen(await ask(6), () => ask(4));
    case 'V4_PREFERRED':
      return firstThen(await ask(4), () => ask(6));
    case 'ALL':
      return both(await Promise.all([ask(4), ask(6)]));
    default:
      throw new TypeError(`no such lookup family: ${String(family)}`);
  }
}

function both([v4, v6]: [DnsAnswer, DnsAnswer]): DnsAnswer {
  if (v4.kind === 'failed') return v6;
  if (v6.kind === 'failed') return v4;
  return { kind: 'answered', addresses: [...v4.addresses, ...v6.addresses] };
}

async function firstThen(first: DnsAnswer, askSecond: () => Promise<DnsAnswer>): Promise<DnsAnswer> {
  if (first.kind === 'answered' && first.addresses.length > 0) return first;
  const second = await askSecond();
  // An empty answer counts only if the other family did not fail: it may have had addresses.
  if (second.kind === 'answered' && second.addresses.length === 0 && first.kind === 'failed') return first;
  return second;
}

/** Asks DNS servers through Node's c-ares; literal addresses, localhost, the hosts file and search domains as c-ares has them. */
class CaresResolver implements DnsResolver {
  private readonly options: Extract<DnsResolverOptions, { kind: 'cares' }>;
  private readonly files: DnsFiles;
  private readonly resolver: Resolver;

  constructor(options: Extract<DnsResolverOptions, { kind: 'cares' }>, files: DnsFiles) {
    this.options = options;
    this.files = files;
    this.resolver = new Resolver({
      ...(options.queryTimeoutMs === 0 ? {} : { timeout: options.queryTimeoutMs }),
      ...(options.queryTries === 0 ? {} : { tries: options.queryTries }),
    });
    if (options.servers.length > 0 && !(options.serversAreFallback && hasServers(this.resolver)))
      this.resolver.setServers([...options.servers]);
  }

  async resolve(name: string, family: DnsLookupFamily): Promise<DnsAnswer> {
    const version = isIP(name);
    if (version !== 0) return literal(name, version, family);
    const hosts = parseHostsFile(await readText(this.files.hosts)).get(name.toLowerCase()) ?? [];
    const conf = parseResolvConf(await readText(this.files.resolvConf));
    const search = this.options.noDefaultSearchDomain ? [] : conf.search;
    const names = searchNames(name, search, conf.ndots);
    return resolveFamilies(family, (asked) => this.ask(name, names, hosts, asked));
  }

  private async ask(
    name: string,
    names: readonly string[],
    hosts: readonly string[],
    family: 4 | 6,
  ): Promise<DnsAnswer> {
    if (this.options.filterUnroutableFamilies && !isRoutable(family)) return { kind: 'answered', addresses: [] };
    const listed = hosts.filter((address) => isIP(address) === family);
    if (listed.length > 0) return answered(listed, 0);
    // RFC 6761 §6.3: never ask a server for localhost.
    if (/(^|\.)localhost\.?$/i.test(name)) return answered([family === 4 ? '127.0.0.1' : '::1'], 0);
    let failure: DnsAnswer | null = null;
    for (const candidate of names) {
      const answer = await this.query(candidate, family);
      if (answer.kind === 'failed') failure = answer;
      else if (answer.addresses.length > 0) return answer;
    }
    return failure ?? { kind: 'answered', addresses: [] };
  }

  private async query(name: string, family: 4 | 6): Promise<DnsAnswer> {
    try {
      const records =
        family === 4
          ? await this.resolver.resolve4(name, { ttl: true })
          : await this.resolver.resolve6(name, { ttl: true });
      return { kind: 'answered', addresses: records.map(({ address, ttl }) => ({ address, ttlSeconds: ttl })) };
    } catch (error) {
      return failed(error);
    }
  }
}

/** Asks the C library. */
class LibraryResolver implements DnsResolver {
  private readonly retries: number;
  private readonly lookup: LibraryLookup;

  constructor(retries: number | null, ask: LibraryLookup) {
    this.retries = retries ?? Infinity;
    this.lookup = ask;
  }

  async resolve(name: string, family: DnsLookupFamily, isWanted: () => boolean = () => true): Promise<DnsAnswer> {
    const version = isIP(name);
    if (version !== 0) return literal(name, version, family);
    return resolveFamilies(family, (asked) => this.ask(name, asked, isWanted));
  }

  private async ask(name: string, family: 4 | 6, isWanted: () => boolean): Promise<DnsAnswer> {
    for (let retry = 0; ; retry++) {
      try {
        const found = await this.lookup(name, { all: true, family, verbatim: true });
        return answered(
          found.map(({ address }) => address),
          getaddrinfoTtlSeconds,
        );
      } catch (error) {
        // As Envoy: any other error is an answer.
        const isTemporary = (error as NodeJS.ErrnoException).code === 'EAI_AGAIN';
        if (!isTemporary || retry >= this.retries || !isWanted()) return failed(error);
        // The C library may say so at once, where there is no network.
        await pause(Math.min(retryPauseMaxMs, retryPauseMs * 2 ** retry));
      }
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds).unref());
}

function answered(addresses: readonly string[], ttlSeconds: number): DnsAnswer {
  return { kind: 'answered', addresses: addresses.map((address) => ({ address, ttlSeconds })) };
}

function literal(address: string, version: number, family: DnsLookupFamily): DnsAnswer {
  const isWanted = !(family === 'V4_ONLY' && version === 6) && !(family === 'V6_ONLY' && version === 4);
  return answered(isWanted ? [address] : [], 0);
}

function failed(error: unknown): DnsAnswer {
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (emptyCodes.has(code)) return { kind: 'answered', addresses: [] };
  return { kind: 'failed', reason: code === '' ? String(error) : code };
}

/** c-ares falls back to 127.0.0.1 where nothing is configured. */
function hasServers(resolver: Resolver): boolean {
  const servers = resolver.getServers();
  return !(servers.length === 0 || (servers.length === 1 && servers[0] === '127.0.0.1'));
}

function isRoutable(family: 4 | 6): boolean {
  const name = family === 4 ? 'IPv4' : 'IPv6';
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((face) => face.family === name && !face.internal && !face.address.startsWith('fe80:')),
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}
