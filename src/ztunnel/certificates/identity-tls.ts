import type { RevokedCertificates } from '../../identity/revocation-list.ts';
import type { CertificateSecret, ValidationSecret } from '../../identity/secret-data.ts';
import type { SecretStore } from '../../identity/secret-store.ts';
import type { DownstreamTlsData, UpstreamTlsData } from '../../identity/tls-context-data.ts';
import type { Network } from '../../net/network.ts';
import { buildDownstreamTls, buildUpstreamTls } from '../../net/tls/build.ts';
import type { TlsScope } from '../../net/tls/tls-stats.ts';
import type { TlsTools, TlsTurns } from '../../net/tls/tls-tools.ts';
import type { DownstreamTransport, UpstreamTransport } from '../../net/transport.ts';
import type { ProxySettings } from '../proxy/settings.ts';
import { certificateKey, clientsKey, rootsKey } from './certificate-source.ts';

/** What TLS needs of the thread. */
export interface TlsThread {
  readonly turns: TlsTurns;
  readonly secrets: SecretStore;
  readonly log: TlsTools['log'];
}

const nothing = { inc() {}, set() {} };

/** ztunnel has no stats of handshakes. */
const noStats: TlsScope = { counter: () => nothing, gauge: () => nothing, scope: () => noStats };

/** OpenSSL's name of the only group that COMPLIANCE_POLICY=pqc lets be. */
const postQuantumGroup = 'X25519MLKEM768';

/** TLS as one workload: both of its roles present its certificate. */
export class IdentityTls {
  readonly server: DownstreamTransport;
  readonly client: UpstreamTransport;

  /** `network`: where the workload's connections leave from. The certificate is in the store. */
  constructor(identity: string, network: Network, thread: TlsThread, settings: ProxySettings) {
    const tools: TlsTools = {
      network,
      turns: thread.turns,
      secrets: thread.secrets,
      scope: noStats,
      ticketKeys: [],
      compileRegex: () => ({ test: () => false }),
      log: thread.log,
      countsUpdates: false,
    };
    const common = commonData(identity, settings);
    const server: DownstreamTlsData = {
      ...common,
      validation: { base: null, secret: { key: clientsKey(identity), inline: null } },
      requireClientCertificate: true,
      ticketKeys: null,
      statelessResumption: false,
      statefulResumption: false,
      sessionTimeoutSeconds: 0,
      ocspStaplePolicy: 'LENIENT_STAPLING',
      fullScanCertsOnSniMismatch: false,
      preferClientCiphers: false,
    };
    const client: UpstreamTlsData = {
      ...common,
      validation: { base: null, secret: { key: rootsKey(identity), inline: null } },
      sni: '',
      autoHostSni: false,
      autoSniSanValidation: false,
      allowRenegotiation: false,
      maxSessionKeys: 0,
      enforceRsaKeyUsage: false,
    };
    this.server = buildDownstreamTls(server, tools);
    this.client = buildUpstreamTls(client, tools);
  }

  release(): void {
    this.server.release?.();
    this.client.release?.();
  }
}

function commonData(identity: string, settings: ProxySettings) {
  return {
    minVersion: settings.allowsTls12 ? 'TLSv1_2' : 'TLSv1_3',
    maxVersion: 'TLSv1_3',
    cipherSuites: [],
    curves: settings.isPostQuantum ? [postQuantumGroup] : [],
    signatureAlgorithms: [],
    isFips: true,
    alpn: ['h2'],
    certificates: [{ key: certificateKey(identity), inline: null }],
    keyLog: null,
  } as const;
}

/** As the store has a certificate. */
export function certificateSecret(chainPem: string, keyPem: string, identity: string): CertificateSecret {
  return { kind: 'certificate', chainPem, keyPem, pkcs12: null, password: '', ocspStaple: null, origin: identity };
}

/**
 * Whom to trust: whoever the roots have signed. `trustDomain`: of which their first URI must be besides, as a server asks
 * of its clients; empty: names are asked for with each connection.
 */
export function trustSecret(
  rootsPem: string,
  origin: string,
  trustDomain = '',
  revoked?: RevokedCertificates,
): ValidationSecret {
  return {
    kind: 'validation',
    trustedCaPem: trustDomain === '' ? rootsPem : '',
    trustedCaOrigin: origin,
    crlPem: '',
    crlOrigin: '',
    sanMatchers: [],
    certificateHashes: [],
    spkiHashes: [],
    allowExpired: false,
    acceptUntrusted: false,
    onlyVerifyLeafCrl: false,
    maxVerifyDepth: null,
    requireSignedCertificateTimestamp: false,
    spiffeTrustDomains: trustDomain === '' ? null : { [trustDomain]: rootsPem },
    suppressClientCaList: true,
    ...(revoked !== undefined && { revoked }),
  };
}
