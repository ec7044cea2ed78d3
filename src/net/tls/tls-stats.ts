import type { TlsFacts } from '../../core/tls-facts.ts';

/** What the stats of a listener or a cluster are written through. */
export interface TlsScope {
  counter(name: string): { inc(): void };
  gauge(name: string): { set(value: number): void };
  scope(prefix: string): TlsScope;
}

/** `ssl.*` of a listener or a cluster. Source: Envoy `source/common/tls/stats.h`. */
export class TlsStats {
  private readonly scope: TlsScope;
  private readonly ssl: TlsScope;
  private readonly factory: TlsScope;
  private readonly prefix: 'downstream' | 'upstream';

  constructor(scope: TlsScope, prefix: 'downstream' | 'upstream') {
    this.scope = scope;
    this.ssl = scope.scope('ssl');
    this.factory = scope.scope(prefix === 'downstream' ? 'server_ssl_socket_factory' : 'client_ssl_socket_factory');
    this.prefix = prefix;
    for (const name of names) this.ssl.counter(name);
    for (const name of factoryNames) this.factory.counter(name);
  }

  secured(facts: TlsFacts, signature: string): void {
    const { ssl } = this;
    ssl.counter('handshake').inc();
    if (facts.isResumed) ssl.counter('session_reused').inc();
    ssl.scope('ciphers').counter(facts.cipher).inc();
    ssl.scope('versions').counter(facts.version).inc();
    if (facts.group !== '') ssl.scope('curves').counter(facts.group).inc();
    if (signature !== '') ssl.scope('sigalgs').counter(signature).inc();
    if (facts.peerChain.length === 0) ssl.counter('no_certificate').inc();
  }

  /** A handshake failed of what OpenSSL says. What has a counter of its own is no connection error besides. */
  failed(errors: string): void {
    if (errors.includes('PEER_DID_NOT_RETURN_A_CERTIFICATE')) this.count('fail_verify_no_cert');
    else if (!errors.includes('CERTIFICATE_VERIFY_FAILED')) this.count('connection_error');
  }

  count(name: (typeof names)[number]): void {
    this.ssl.counter(name).inc();
  }

  /** A client was too slow. */
  timedOut(): void {
    this.scope.counter('downstream_cx_transport_socket_connect_timeout').inc();
  }

  /** A connection came before the secrets did. */
  secretsNotReady(): void {
    this.factory.counter(`${this.prefix}_context_secrets_not_ready`).inc();
  }

  /** Built anew of secrets that changed. */
  updatedBySecrets(): void {
    this.factory.counter('ssl_context_update_by_sds').inc();
  }
}

/** Of either factory. */
const factoryNames = [
  'ssl_context_update_by_sds',
  'downstream_context_secrets_not_ready',
  'upstream_context_secrets_not_ready',
] as const;

const names = [
  'connection_error',
  'handshake',
  'session_reused',
  'no_certificate',
  'fail_verify_no_cert',
  'fail_verify_error',
  'fail_verify_san',
  'fail_verify_cert_hash',
  'ocsp_staple_failed',
  'ocsp_staple_omitted',
  'ocsp_staple_responses',
  'ocsp_staple_requests',
  'was_key_usage_invalid',
] as const;
