import type { ValidationSecret } from '../../../identity/secret-data.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';
import { certificatesOfPem, crlsOfPem } from './pem.ts';

const VerifyFlag = { CrlCheck: 0x4n, CrlCheckAll: 0x8n, PartialChain: 0x80000n, NoCheckTime: 0x200000n } as const;

/** Envoy's default of max_verify_depth. */
const depthMax = 100;

/** Puts roots, revocation lists and rules of chains into a context. A server also tells its clients the roots' names. */
export function trust(ssl: OpenSsl, context: Pointer, secret: ValidationSecret, isServer: boolean): void {
  const store = ssl.SSL_CTX_get_cert_store(context);
  const roots = certificatesOfPem(ssl, secret.trustedCaPem);
  if (roots.length === 0 && secret.trustedCaPem !== '')
    throw new Error(`Failed to load trusted CA certificates from ${secret.trustedCaOrigin}`);
  for (const root of roots) {
    ssl.X509_STORE_add_cert(store, root);
    if (isServer && secret.suppressClientCaList !== true) ssl.SSL_CTX_add_client_CA(context, root);
    ssl.X509_free(root);
  }
  if (isServer && secret.suppressClientCaList !== true) nameRootsOfDomains(ssl, context, secret);
  let flags: bigint = VerifyFlag.PartialChain;
  if (secret.allowExpired) flags |= VerifyFlag.NoCheckTime;
  if (secret.crlPem !== '') {
    addCrls(ssl, store, secret);
    flags |= secret.onlyVerifyLeafCrl ? VerifyFlag.CrlCheck : VerifyFlag.CrlCheck | VerifyFlag.CrlCheckAll;
  }
  ssl.X509_STORE_set_flags(store, flags);
  // BoringSSL counts the root, OpenSSL does not.
  ssl.SSL_CTX_set_verify_depth(context, Math.max(0, (secret.maxVerifyDepth ?? depthMax) - 1));
  ssl.ERR_clear_error();
}

function nameRootsOfDomains(ssl: OpenSsl, context: Pointer, { spiffeTrustDomains }: ValidationSecret): void {
  for (const pem of Object.values(spiffeTrustDomains ?? {})) {
    for (const root of certificatesOfPem(ssl, pem)) {
      ssl.SSL_CTX_add_client_CA(context, root);
      ssl.X509_free(root);
    }
  }
}

function addCrls(ssl: OpenSsl, store: Pointer, { crlPem, crlOrigin }: ValidationSecret): void {
  const lists = crlsOfPem(ssl, crlPem);
  if (lists.length === 0) throw new Error(`Failed to load CRL from ${crlOrigin}`);
  for (const list of lists) {
    ssl.X509_STORE_add_crl(store, list);
    ssl.X509_CRL_free(list);
  }
}

/** The roots of each SPIFFE trust domain: what a chain of that domain must lead to. */
export class TrustDomains {
  private readonly ssl: OpenSsl;
  private readonly stacks: Map<string, Pointer>;

  constructor(ssl: OpenSsl, domains: Readonly<Record<string, string>>) {
    this.ssl = ssl;
    this.stacks = new Map();
    for (const [domain, pem] of Object.entries(domains)) {
      const roots = certificatesOfPem(ssl, pem);
      if (roots.length === 0) throw new Error(`Failed to load trusted CA certificate from trust domain ${domain}`);
      const stack = ssl.OPENSSL_sk_new_null();
      for (const root of roots) ssl.OPENSSL_sk_push(stack, root);
      this.stacks.set(domain, stack);
    }
  }

  /** `STACK_OF(X509)`; 0n: no such domain. */
  rootsOf(domain: string): Pointer {
    return this.stacks.get(domain) ?? 0n;
  }

  close(): void {
    for (const stack of this.stacks.values()) {
      for (let i = 0; i < this.ssl.OPENSSL_sk_num(stack); i++) this.ssl.X509_free(this.ssl.OPENSSL_sk_value(stack, i));
      this.ssl.OPENSSL_sk_free(stack);
    }
    this.stacks.clear();
  }
}
