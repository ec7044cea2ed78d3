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

/** What a chain of one SPIFFE trust domain must lead to. */
interface TrustDomain {
  /** `STACK_OF(X509)`. */
  readonly roots: Pointer;
  /** `STACK_OF(X509_CRL)`: of every authority of a chain; 0n: none is looked for. */
  readonly lists: Pointer;
}

/** The roots of each SPIFFE trust domain, and what they have revoked. */
export class TrustDomains {
  private readonly ssl: OpenSsl;
  private readonly domains: Map<string, TrustDomain>;

  constructor(ssl: OpenSsl, domains: Readonly<Record<string, string>>) {
    this.ssl = ssl;
    this.domains = new Map();
    for (const [domain, pem] of Object.entries(domains)) {
      const roots = certificatesOfPem(ssl, pem);
      if (roots.length === 0) throw new Error(`Failed to load trusted CA certificate from trust domain ${domain}`);
      const lists = crlsOfPem(ssl, pem);
      this.domains.set(domain, { roots: this.stack(roots), lists: lists.length === 0 ? 0n : this.stack(lists) });
    }
  }

  /** Has a verification (`X509_STORE_CTX`) lead to this domain; to nothing where there is no such domain. */
  lead(store: Pointer, domain: string): void {
    const { ssl } = this;
    const { roots, lists } = this.domains.get(domain) ?? nowhere;
    ssl.X509_STORE_CTX_set0_trusted_stack(store, roots);
    if (lists === 0n) return;
    ssl.X509_STORE_CTX_set0_crls(store, lists);
    ssl.X509_STORE_CTX_set_flags(store, VerifyFlag.CrlCheck | VerifyFlag.CrlCheckAll);
  }

  close(): void {
    const { ssl } = this;
    for (const { roots, lists } of this.domains.values()) {
      this.free(roots, (root) => ssl.X509_free(root));
      if (lists !== 0n) this.free(lists, (list) => ssl.X509_CRL_free(list));
    }
    this.domains.clear();
  }

  private stack(objects: readonly Pointer[]): Pointer {
    const stack = this.ssl.OPENSSL_sk_new_null();
    for (const object of objects) this.ssl.OPENSSL_sk_push(stack, object);
    return stack;
  }

  private free(stack: Pointer, freeObject: (object: Pointer) => void): void {
    for (let i = 0; i < this.ssl.OPENSSL_sk_num(stack); i++) freeObject(this.ssl.OPENSSL_sk_value(stack, i));
    this.ssl.OPENSSL_sk_free(stack);
  }
}

const nowhere: TrustDomain = { roots: 0n, lists: 0n };
