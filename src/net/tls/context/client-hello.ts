import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

const Extension = { ServerName: 0, StatusRequest: 5, SignatureAlgorithms: 13, SupportedVersions: 43 } as const;

const tls13 = 0x0304;

/** Cipher suites of TLS 1.2 and below whose servers sign with ECDSA (IANA's registry). */
const ecdsaSuites: ReadonlySet<number> = new Set([
  0xc007, 0xc008, 0xc009, 0xc00a, 0xc023, 0xc024, 0xc02b, 0xc02c, 0xc0ac, 0xc0ad, 0xcca9,
]);

const at = Buffer.alloc(8);
const size = Buffer.alloc(8);

/** What choices of the server's ask of a ClientHello, while OpenSSL has it. */
export interface HelloFacts {
  /** As it came; empty: none. */
  readonly serverName: string;
  /** It speaks TLS 1.3. */
  readonly isTls13: boolean;
  /** The client takes ECDSA certificates. */
  readonly takesEcdsa: boolean;
  /** It asks for an OCSP staple. */
  readonly asksForStaple: boolean;
}

export function readHello(ssl: OpenSsl, connection: Pointer): HelloFacts {
  const name = extension(ssl, connection, Extension.ServerName);
  const versions = extension(ssl, connection, Extension.SupportedVersions);
  const isTls13 = versions !== null && hasPair(versions, 1, (version) => version === tls13);
  return {
    serverName: name === null ? '' : hostName(name),
    isTls13,
    takesEcdsa: takesEcdsa(ssl, connection, isTls13),
    asksForStaple: extension(ssl, connection, Extension.StatusRequest) !== null,
  };
}

/** Before TLS 1.3 the cipher suite says how a server signs, too. */
function takesEcdsa(ssl: OpenSsl, connection: Pointer, isTls13: boolean): boolean {
  const algorithms = extension(ssl, connection, Extension.SignatureAlgorithms);
  // RFC 8446 section 4.2.3: ecdsa_secp256r1_sha256 and its larger kin end in 3.
  if (algorithms === null || !hasPair(algorithms, 2, (algorithm) => (algorithm & 0xff) === 3)) return false;
  return isTls13 || hasPair(suites(ssl, connection), 0, (suite) => ecdsaSuites.has(suite));
}

function suites(ssl: OpenSsl, connection: Pointer): Buffer {
  const length = Number(ssl.SSL_client_hello_get0_ciphers(connection, at));
  return length === 0 ? Buffer.alloc(0) : ssl.copy(at.readBigUInt64LE(), length);
}

function extension(ssl: OpenSsl, connection: Pointer, type: number): Buffer | null {
  if (ssl.SSL_client_hello_get0_ext(connection, type, at, size) !== 1) return null;
  const length = Number(size.readBigUInt64LE());
  return length === 0 ? Buffer.alloc(0) : ssl.copy(at.readBigUInt64LE(), length);
}

/** RFC 6066 section 3: a list of one host name. */
function hostName(list: Buffer): string {
  if (list.length < 5 || list[2] !== 0) return '';
  const end = 5 + list.readUInt16BE(3);
  return end > list.length ? '' : list.toString('latin1', 5, end);
}

/** Whether one of the 16-bit numbers behind a list's length is such. */
function hasPair(list: Buffer, from: number, isSuch: (value: number) => boolean): boolean {
  for (let i = from; i + 1 < list.length; i += 2) if (isSuch(list.readUInt16BE(i))) return true;
  return false;
}
