import type { CommonTlsData, TlsVersion } from '../../../identity/tls-context-data.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

const Control = {
  SetMode: 33,
  SetGroupsList: 92,
  SetSignatureAlgorithmsList: 98,
  SetClientSignatureAlgorithmsList: 102,
  SetMinVersion: 123,
  SetMaxVersion: 124,
} as const;

/** Moving write buffers, the chain that is configured and no other, and no buffers for connections that rest. */
const modes = 2n | 8n | 16n;

const Option = {
  NoRenegotiation: 1n << 30n,
  NoCompression: 1n << 17n,
  IgnoreUnexpectedEnd: 1n << 7n,
} as const;

/** A server's order of cipher suites counts, but for ChaCha where the client likes it best: it has no AES in hardware. */
export const ownOrder = (1n << 22n) | (1n << 21n);

const versions: Readonly<Record<TlsVersion, bigint>> = {
  TLSv1_0: 0x301n,
  TLSv1_1: 0x302n,
  TLSv1_2: 0x303n,
  TLSv1_3: 0x304n,
};

/** Envoy's defaults (reference §1.17). Equal preference is said by an option. */
const defaultCiphers = [
  '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]',
  '[ECDHE-RSA-AES128-GCM-SHA256|ECDHE-RSA-CHACHA20-POLY1305]',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
];
/** BoringSSL's, without SHA-1. */
const defaultSignatureAlgorithms = [
  'ecdsa_secp256r1_sha256',
  'rsa_pss_rsae_sha256',
  'rsa_pkcs1_sha256',
  'ecdsa_secp384r1_sha384',
  'rsa_pss_rsae_sha384',
  'rsa_pkcs1_sha384',
  'rsa_pss_rsae_sha512',
  'rsa_pkcs1_sha512',
];
const defaultGroups = ['X25519', 'P-256'];
/** What TLS 1.3 has is not configurable in Envoy either, and its server follows the client's order. */
const fipsSuitesOfTls13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384';
const suitesOfTls13 = `${fipsSuitesOfTls13}:TLS_CHACHA20_POLY1305_SHA256`;

/** Below TLS 1.2 OpenSSL wants the level that allows SHA-1 in handshakes. */
const SecurityLevel = { Any: 0, Usual: 1 } as const;

/**
 * An SSL_CTX with what both roles have in common. Throws what an operator can use.
 * @param prefersOwnOrder of cipher suites: servers, unless told
 */
export function newSslContext(
  ssl: OpenSsl,
  data: CommonTlsData,
  isServer: boolean,
  prefersOwnOrder: boolean,
  allowsRenegotiation: boolean,
): Pointer {
  const context = ssl.SSL_CTX_new(isServer ? ssl.TLS_server_method() : ssl.TLS_client_method());
  if (context === 0n) throw new Error('OpenSSL has no memory for another TLS context');
  let options = Option.NoCompression | Option.IgnoreUnexpectedEnd;
  if (!allowsRenegotiation) options |= Option.NoRenegotiation;
  if (prefersOwnOrder) options |= ownOrder;
  ssl.SSL_CTX_set_options(context, options);
  ssl.SSL_CTX_ctrl(context, Control.SetMode, modes, 0n);
  const isOld = data.minVersion === 'TLSv1_0' || data.minVersion === 'TLSv1_1';
  ssl.SSL_CTX_set_security_level(context, isOld ? SecurityLevel.Any : SecurityLevel.Usual);
  ssl.SSL_CTX_ctrl(context, Control.SetMinVersion, versions[data.minVersion], 0n);
  ssl.SSL_CTX_ctrl(context, Control.SetMaxVersion, versions[data.maxVersion], 0n);
  const ciphers = cipherList(data.cipherSuites.length === 0 ? defaultCiphers : data.cipherSuites);
  if (ssl.SSL_CTX_set_cipher_list(context, ciphers) !== 1) refuse(ssl, `Failed to initialize cipher suites ${ciphers}`);
  ssl.SSL_CTX_set_ciphersuites(context, data.isFips === true ? fipsSuitesOfTls13 : suitesOfTls13);
  // The slash keeps a server to this order, whatever its client has prepared a key for.
  const groups = (data.curves.length === 0 ? defaultGroups : data.curves).join(isServer ? '/' : ':');
  if (!setList(ssl, context, Control.SetGroupsList, groups)) refuse(ssl, `Failed to initialize ECDH curves ${groups}`);
  // What the other side may sign with. A server's own list is what it may sign with itself: anything that it has a key for.
  const taken = isServer ? Control.SetClientSignatureAlgorithmsList : Control.SetSignatureAlgorithmsList;
  setList(ssl, context, taken, defaultSignatureAlgorithms.join(':'));
  const algorithms = data.signatureAlgorithms.join(':');
  if (algorithms !== '' && !setList(ssl, context, Control.SetSignatureAlgorithmsList, algorithms))
    refuse(ssl, `Failed to initialize TLS signature algorithms ${algorithms}`);
  return context;
}

function refuse(ssl: OpenSsl, words: string): never {
  ssl.ERR_clear_error();
  throw new Error(words);
}

function setList(ssl: OpenSsl, context: Pointer, control: number, list: string): boolean {
  const text = Buffer.from(`${list}\0`, 'latin1');
  return ssl.SSL_CTX_ctrl(context, control, 0n, ssl.addressOf(text)) === 1n;
}

/** BoringSSL's `[A|B]` is a group of equal preference. */
function cipherList(configured: readonly string[]): string {
  return configured.map((entry) => entry.replaceAll(/[[\]]/g, '').replaceAll('|', ':')).join(':');
}
