import type { JsonObject } from '@bufbuild/protobuf';
import type { TransportSocketData } from './cluster/transport/transport-data.ts';
import type { ClusterData } from './cluster/cluster-data.ts';
import type { CertificateFacts } from './core/tls-facts.ts';
import { daysUntilExpiry, daysUntilFirstExpiry } from './identity/expiry.ts';
import { readOcspResponse } from './identity/ocsp-response.ts';
import { certificatesOfPem } from './identity/pem.ts';
import type { SecretData, SecretRef } from './identity/secret-data.ts';
import type { CommonTlsData, DownstreamTlsData } from './identity/tls-context-data.ts';
import { downstreamTlsKind } from './identity/tls-context-kinds.ts';
import type { ListenerData } from './listener/listener-data.ts';
import type { StatsReport, StatsSource } from './observe/stats/stats-source.ts';

/** A certificate as the admin speaks of it. */
interface Shown {
  /** Of the secret, for the gauge of its expiry; `noName`: it has none. */
  readonly name: string;
  /** File, or `<inline>`. */
  readonly path: string;
  readonly facts: CertificateFacts;
  readonly ocspStaple: Uint8Array | null;
}

/** What one TLS context of a listener or a cluster has. */
interface Context {
  /** `listener.<address>` or `cluster.<name>`. */
  readonly prefix: string;
  /** The first of the trust bundle; null: chains are not verified. */
  readonly authority: Shown | null;
  readonly own: readonly Shown[];
}

/** What has contexts. */
export interface Served {
  readonly listeners: Iterable<ListenerData>;
  readonly clusters: Iterable<ClusterData>;
}

/** Gives the secrets that are not in the data. */
export interface SecretsInForce {
  get(key: string): SecretData | null;
  nameOf(key: string): string;
}

/** What is written in a TLS context itself has this for a name. */
const noName = '<inline>';

/** Envoy's names for what has none: of the SHA-256 of an empty text. */
const unnamed = { own: 'unnamed_cert_e3b0c442', authority: 'unnamed_ca_cert_e3b0c442' };

/**
 * The certificates that the listeners and clusters serve with and trust, as `/certs` and the gauges of their expiry show
 * them: of each context its own leaves, and the first of its authorities. What a secret that has not come would be made
 * into is not among them.
 */
export class CertificatesInUse implements StatsSource {
  private readonly data: () => Served;
  private readonly secrets: () => SecretsInForce | null;
  /** Reading a certificate costs more than looking whether it is another. */
  private readonly read: WeakMap<SecretData, CertificateFacts | null>;

  constructor(data: () => Served, secrets: () => SecretsInForce | null) {
    this.data = data;
    this.secrets = secrets;
    this.read = new WeakMap();
  }

  /** `envoy.admin.v3.Certificate` in proto names. */
  certificates(nowEpochMs: number): JsonObject[] {
    return this.contexts().map(({ authority, own }) => ({
      ca_cert: authority === null ? [] : [details(authority, nowEpochMs)],
      cert_chain: own.map((one) => details(one, nowEpochMs)),
    }));
  }

  /** For `server.days_until_first_cert_expiring`. */
  daysUntilFirstExpiry(nowEpochMs: number): number {
    const all = this.contexts().flatMap(({ authority, own }) => (authority === null ? own : [...own, authority]));
    return daysUntilFirstExpiry(
      all.map(({ facts }) => facts),
      nowEpochMs,
    );
  }

  reportStats(report: StatsReport): void {
    const gauges = new Map<string, number>();
    for (const { prefix, authority, own } of this.contexts()) {
      const add = (name: string, { facts }: Shown): void => {
        const seconds = Math.floor(facts.validToEpochMs / 1000);
        gauges.set(`${prefix}.ssl.certificate.${name}.expiration_unix_time_seconds`, seconds);
      };
      if (authority !== null) add(authority.name === noName ? unnamed.authority : authority.name, authority);
      for (const one of own) add(one.name === noName ? unnamed.own : one.name, one);
    }
    for (const [name, seconds] of gauges) report.gauge(name, seconds, true);
  }

  private contexts(): Context[] {
    const { listeners, clusters } = this.data();
    const contexts: (Context | null)[] = [];
    for (const { statPrefix, filterChains, defaultFilterChain } of listeners) {
      const prefix = `listener.${statPrefix.replaceAll(':', '_')}`;
      for (const { transport } of defaultFilterChain === null ? filterChains : [...filterChains, defaultFilterChain]) {
        if (transport?.kind === downstreamTlsKind)
          contexts.push(this.context(prefix, transport.data as DownstreamTlsData));
      }
    }
    for (const { statName, transports } of clusters) {
      for (const { socket } of transports) {
        const tls = tlsOf(socket);
        if (tls !== null) contexts.push(this.context(`cluster.${statName}`, tls));
      }
    }
    return contexts.filter((context) => context !== null);
  }

  /** Null: a secret has not come yet. */
  private context(prefix: string, { certificates, validation }: CommonTlsData): Context | null {
    const own: Shown[] = [];
    for (const ref of certificates) {
      const secret = this.resolve(ref);
      if (secret === null) return null;
      const facts = this.factsOf(secret, secret.chainPem);
      if (facts === null) continue;
      own.push({ name: this.nameOf(ref), path: secret.origin, facts, ocspStaple: secret.ocspStaple });
    }
    if (validation === null) return { prefix, authority: null, own };
    const { base, secret } = validation;
    const brought = secret === null ? null : this.resolve(secret);
    if (secret !== null && brought === null) return null;
    const trusted = brought !== null && brought.trustedCaPem !== '' ? brought : base;
    const facts = trusted === null ? null : this.factsOf(trusted, trusted.trustedCaPem);
    if (trusted === null || facts === null) return { prefix, authority: null, own };
    const name = secret === null ? noName : this.nameOf(secret);
    return { prefix, authority: { name, path: trusted.trustedCaOrigin, facts, ocspStaple: null }, own };
  }

  private resolve<Secret extends SecretData>({ key, inline }: SecretRef<Secret>): Secret | null {
    return inline ?? ((this.secrets()?.get(key) ?? null) as Secret | null);
  }

  private nameOf({ key, inline }: SecretRef<SecretData>): string {
    return inline === null ? (this.secrets()?.nameOf(key) ?? noName) : key;
  }

  /** Of the first certificate. */
  private factsOf(secret: SecretData, pem: string): CertificateFacts | null {
    let facts = this.read.get(secret);
    if (facts === undefined) {
      facts = certificatesOfPem(pem)[0] ?? null;
      this.read.set(secret, facts);
    }
    return facts;
  }
}

function tlsOf(socket: TransportSocketData): CommonTlsData | null {
  if (socket.kind === 'proxy-protocol') return tlsOf(socket.inner);
  return socket.kind === 'tls' ? socket.tls : null;
}

/** `envoy.admin.v3.CertificateDetails`. */
function details({ path, facts, ocspStaple }: Shown, nowEpochMs: number): JsonObject {
  const { dnsNames, uris, ipAddresses, serial, validFromEpochMs, validToEpochMs } = facts;
  const ocsp = ocspStaple === null ? null : readOcspResponse(ocspStaple);
  return {
    path,
    serial_number: serial,
    subject_alt_names: [
      ...dnsNames.map((dns) => ({ dns })),
      ...uris.map((uri) => ({ uri })),
      ...ipAddresses.map((ip_address) => ({ ip_address })),
    ],
    days_until_expiration: String(daysUntilExpiry(facts, nowEpochMs) ?? 0),
    valid_from: instant(validFromEpochMs),
    expiration_time: instant(validToEpochMs),
    ...(ocsp !== null &&
      typeof ocsp !== 'string' && {
        ocsp_details: {
          valid_from: instant(ocsp.thisUpdateEpochMs),
          ...(ocsp.nextUpdateEpochMs !== null && { expiration: instant(ocsp.nextUpdateEpochMs) }),
        },
      }),
  };
}

/** As protobuf prints it: whole seconds have no fraction. */
function instant(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('.000Z', 'Z');
}
