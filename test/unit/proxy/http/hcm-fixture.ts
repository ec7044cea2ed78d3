import { RequestHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import type { Counter, Gauge, Histogram, StatsScope } from '../../../../src/observe/stats/stats.ts';
import type { ClientCertData, HcmData } from '../../../../src/proxy/http/hcm-data.ts';

type Sections = { readonly [K in keyof HcmData]?: HcmData[K] extends object ? Partial<HcmData[K]> : HcmData[K] };

/** `forward_client_cert_details`, and what of the details a test asks for. */
export function clientCert(mode: ClientCertData['mode'], details: Partial<ClientCertData> = {}): ClientCertData {
  return { mode, subject: false, cert: false, chain: false, dns: false, uri: false, format: 'TEXT', ...details };
}

/** A connection manager with Envoy's defaults, and what a test sets otherwise. */
export function hcmData(changes: Sections = {}): HcmData {
  const defaults: Record<string, unknown> = {
    statPrefix: 'test',
    routeConfig: { internalOnlyHeaders: [] },
    httpFilters: [],
    accessLogs: [],
    accessLogOptions: { flushIntervalMs: 0, flushOnNewRequest: false },
    limits: {
      headerBytesMax: 61440,
      headerCountMax: 100,
      requestsPerConnectionMax: 0,
      headersWithUnderscores: 'ALLOW',
    },
    timeouts: {},
    http1: {
      acceptHttp10: false,
      defaultHostForHttp10: '',
      allowAbsoluteUrl: true,
      allowChunkedLength: false,
      allowCustomMethods: false,
      enableTrailers: false,
      headerKeyFormat: 'lower',
      ignoredUpgrades: [],
    },
    path: { normalize: false, mergeSlashes: false, escapedSlashes: 'KEEP_UNCHANGED' },
    host: { stripPort: 'none', stripTrailingDot: false },
    client: {
      useRemoteAddress: false,
      xffNumTrustedHops: 0,
      skipXffAppend: false,
      detection: [],
      internalCidrRanges: [],
      internalUnixSockets: false,
    },
    requestId: { generate: true, preserveExternal: false, alwaysSetInResponse: false, packTraceReason: true },
    forwarding: {
      appendXForwardedPort: false,
      addUserAgent: false,
      via: '',
      clientCert: clientCert('SANITIZE'),
      schemeToOverwrite: '',
      schemeMatchesUpstream: false,
    },
    response: { serverName: 'envoy', serverHeader: 'OVERWRITE', via: '', proxyStatus: null },
    localReply: { mappers: [], bodyFormat: null },
    proxy100Continue: false,
    streamErrorOnInvalidMessage: false,
  };
  for (const [key, value] of Object.entries(changes)) {
    const isSection = typeof value === 'object' && value !== null && !Array.isArray(value);
    defaults[key] = isSection ? { ...(defaults[key] as object), ...(value as object) } : value;
  }
  return defaults as unknown as HcmData;
}

export function peer(host = '127.0.0.1', changes: Partial<Peer> = {}): Peer {
  const remote = { kind: 'ip', host, port: 40000 } as const;
  const local = { kind: 'ip', host: '127.0.0.1', port: 10000 } as const;
  return {
    remote,
    local,
    directRemote: remote,
    directLocal: local,
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,

    ...changes,
  };
}

export function requestHead(
  headers: readonly (readonly [string, string])[] = [],
  changes: { method?: string; authority?: string; path?: string; version?: 10 | 11 | 20 } = {},
): RequestHead {
  const { method = 'GET', authority = 'h.test', path = '/', version = 11 } = changes;
  return new RequestHead(method, authority, path, version, Headers.of(...headers));
}

/** Header lines as they would go out. */
export function lines(headers: Headers): string[] {
  return headers.names.map((name, i) => `${name}: ${headers.values[i]}`);
}

/** Stats that a test can read. */
export class ReadableStats implements StatsScope {
  readonly values: Map<string, number>;
  private readonly prefix: string;

  constructor(prefix = '', values = new Map<string, number>()) {
    this.prefix = prefix;
    this.values = values;
  }

  counter(name: string): Counter {
    return this.gauge(name);
  }

  gauge(name: string): Gauge {
    const key = this.prefix + name;
    const add = (amount: number) => void this.values.set(key, (this.values.get(key) ?? 0) + amount);
    return { inc: () => add(1), dec: () => add(-1), add, set: (value) => void this.values.set(key, value) };
  }

  histogram(): Histogram {
    return { record: () => {} };
  }

  scope(prefix: string): StatsScope {
    return new ReadableStats(`${this.prefix}${prefix}.`, this.values);
  }
}
