import type { CertificateFacts, TlsFacts } from '../../../core/tls-facts.ts';
import { readCertificate } from '../../../identity/certificate.ts';
import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';
import type { TlsConnection } from '../tls-connection.ts';

const GetPeerSignatureNid = 108;
/** The only kind of server name there is (RFC 6066 section 3). */
const HostName = 0;
const chainMax = 100;

const groupNames: Readonly<Record<string, string>> = {
  x25519: 'X25519',
  secp256r1: 'P-256',
  prime256v1: 'P-256',
  secp384r1: 'P-384',
  secp521r1: 'P-521',
};

/** OpenSSL's numbers of key types and digests, as TLS 1.3 names the two together (RFC 8446 section 4.2.3). */
const digestNames: Readonly<Record<number, string>> = { 64: 'sha1', 672: 'sha256', 673: 'sha384', 674: 'sha512' };
const curveOfDigest: Readonly<Record<string, string>> = {
  sha256: 'secp256r1',
  sha384: 'secp384r1',
  sha512: 'secp521r1',
};
const KeyType = { Rsa: 6, Ec: 408, RsaPss: 912, Ed25519: 1087 } as const;

/** Out parameters of OpenSSL's functions. */
const slot = Buffer.alloc(16);

/** What a completed handshake says; read at once, because the SSL object goes with its connection. */
export function handshakeFacts(
  ssl: OpenSsl,
  connection: Pointer,
  handshakeMs: number,
  isPeerVerified: boolean,
  isServer: boolean,
  local: CertificateFacts | null,
): TlsFacts {
  const peerChain = presentedChain(ssl, connection, isServer);
  const version = ssl.text(ssl.SSL_get_version(connection));
  const isVerified = isPeerVerified && peerChain.length > 0;
  return {
    version,
    cipher: ssl.text(ssl.SSL_CIPHER_get_name(ssl.SSL_get_current_cipher(connection))),
    group: groupName(ssl.text(ssl.SSL_get0_group_name(connection))),
    sessionId: version === 'TLSv1.3' ? '' : sessionId(ssl, connection),
    isResumed: ssl.SSL_session_reused(connection) === 1,
    serverName: isServer ? serverName(ssl, connection) : '',
    handshakeMs,
    peerChain,
    peerIssuer: isVerified ? verifiedIssuer(ssl, connection) : null,
    isPeerVerified: isVerified,
    local,
  };
}

/** What a handshake that failed got to know: the rest is empty. Before versions were compared it is 1.2, as in BoringSSL. */
export function failedFacts(ssl: OpenSsl, connection: TlsConnection, local: CertificateFacts | null): TlsFacts {
  const current = ssl.SSL_get_current_cipher(connection.ssl);
  const cipher = current === 0n ? ssl.SSL_get_pending_cipher(connection.ssl) : current;
  return {
    version: cipher === 0n ? 'TLSv1.2' : ssl.text(ssl.SSL_get_version(connection.ssl)),
    cipher: cipher === 0n ? '' : ssl.text(ssl.SSL_CIPHER_get_name(cipher)),
    group: cipher === 0n ? '' : groupName(ssl.text(ssl.SSL_get0_group_name(connection.ssl))),
    sessionId: '',
    isResumed: false,
    handshakeMs: NaN,
    peerChain: connection.peer.presented,
    peerIssuer: null,
    isPeerVerified: false,
    local,
  };
}

export function negotiatedAlpn(ssl: OpenSsl, connection: Pointer): string {
  ssl.SSL_get0_alpn_selected(connection, slot, sizeSlot);
  const at = slot.readBigUInt64LE(0);
  return at === 0n ? '' : ssl.copy(at, sizeSlot.readUInt32LE(0)).toString('latin1');
}

const sizeSlot = Buffer.alloc(8);

/** How the peer signed, as Envoy's `ssl.sigalgs.*`; empty: it did not. */
export function peerSignature(ssl: OpenSsl, connection: Pointer): string {
  slot.writeBigUInt64LE(0n, 0);
  if (ssl.SSL_get_peer_signature_type_nid(connection, slot) !== 1) return signatureOfResumed(ssl, connection);
  const type = slot.readInt32LE(0);
  if (type === KeyType.Ed25519) return 'ed25519';
  ssl.SSL_ctrl(connection, GetPeerSignatureNid, 0n, ssl.addressOf(slot));
  const digest = digestNames[slot.readInt32LE(0)] ?? '';
  if (digest === '') return '';
  if (type === KeyType.Ec) return digest === 'sha1' ? 'ecdsa_sha1' : `ecdsa_${curveOfDigest[digest]}_${digest}`;
  return type === KeyType.RsaPss ? `rsa_pss_rsae_${digest}` : `rsa_pkcs1_${digest}`;
}

/** A resumed session has no signature, and Envoy counts that of the session's beginning: what such a key signs with. */
function signatureOfResumed(ssl: OpenSsl, connection: Pointer): string {
  const certificate = ssl.SSL_get0_peer_certificate(connection);
  if (certificate === 0n) return '';
  const key = ssl.X509_get0_pubkey(certificate);
  const type = ssl.EVP_PKEY_get_base_id(key);
  if (type === KeyType.Ed25519) return 'ed25519';
  if (type === KeyType.Rsa) return 'rsa_pss_rsae_sha256';
  const digest = { 256: 'sha256', 384: 'sha384', 521: 'sha512' }[ssl.EVP_PKEY_get_bits(key)];
  return type === KeyType.Ec && digest !== undefined ? `ecdsa_${curveOfDigest[digest]}_${digest}` : '';
}

function groupName(name: string): string {
  return groupNames[name.toLowerCase()] ?? name;
}

function serverName(ssl: OpenSsl, connection: Pointer): string {
  const name = ssl.SSL_get_servername(connection, HostName);
  return name === 0n ? '' : ssl.text(name);
}

function sessionId(ssl: OpenSsl, connection: Pointer): string {
  const session = ssl.SSL_get_session(connection);
  if (session === 0n) return '';
  const at = ssl.SSL_SESSION_get_id(session, sizeSlot);
  const size = sizeSlot.readUInt32LE(0);
  return at === 0n || size === 0 ? '' : ssl.copy(at, size).toString('hex');
}

/** The whole chain of a peer, whose first certificate was read already. */
export function chainOf(ssl: OpenSsl, stack: Pointer, leaf: CertificateFacts): readonly CertificateFacts[] {
  const chain = [leaf];
  const count = stack === 0n ? 0 : Math.min(ssl.OPENSSL_sk_num(stack), chainMax);
  for (let i = 1; i < count; i++) {
    const next = read(ssl, ssl.OPENSSL_sk_value(stack, i));
    if (next !== null) chain.push(next);
  }
  return chain;
}

/** A server is told the client's own certificate apart from the rest of its chain. */
function presentedChain(ssl: OpenSsl, connection: Pointer, isServer: boolean): readonly CertificateFacts[] {
  const leaf = read(ssl, ssl.SSL_get0_peer_certificate(connection));
  if (leaf === null) return noCertificates;
  const chain = ssl.SSL_get_peer_cert_chain(connection);
  const count = chain === 0n ? 0 : Math.min(ssl.OPENSSL_sk_num(chain), chainMax);
  const certificates = [leaf];
  for (let i = isServer ? 0 : 1; i < count; i++) {
    const next = read(ssl, ssl.OPENSSL_sk_value(chain, i));
    if (next !== null) certificates.push(next);
  }
  return certificates;
}

const noCertificates: readonly CertificateFacts[] = [];

function verifiedIssuer(ssl: OpenSsl, connection: Pointer): CertificateFacts | null {
  const chain = ssl.SSL_get0_verified_chain(connection);
  return chain === 0n || ssl.OPENSSL_sk_num(chain) < 2 ? null : read(ssl, ssl.OPENSSL_sk_value(chain, 1));
}

function read(ssl: OpenSsl, certificate: Pointer): CertificateFacts | null {
  const der = derOf(ssl, certificate);
  return der === null ? null : readCertificate(der);
}

const largest = Buffer.allocUnsafeSlow(64 * 1024);

/** Null: there is none, or it is larger than any that is used. */
export function derOf(ssl: OpenSsl, certificate: Pointer): Buffer | null {
  if (certificate === 0n) return null;
  const size = ssl.i2d_X509(certificate, 0n);
  if (size <= 0 || size > largest.length) return null;
  slot.writeBigUInt64LE(ssl.addressOf(largest), 0);
  ssl.i2d_X509(certificate, ssl.addressOf(slot));
  return Buffer.from(largest.subarray(0, size));
}
