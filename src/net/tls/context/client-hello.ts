import type { OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

const Extension = { ServerName: 0, StatusRequest: 5, SignatureAlgorithms: 13 } as const;

const at = Buffer.alloc(8);
const size = Buffer.alloc(8);

/** What the choice of a certificate asks of a ClientHello, while OpenSSL has it. */
export interface HelloFacts {
  /** Lower case; empty: none. */
  readonly serverName: string;
  /** The client takes ECDSA certificates. */
  readonly takesEcdsa: boolean;
  /** The first of TLS 1.3's suites with AES that it offers: bits of the key; 0: none. */
  readonly aesBits: 0 | 128 | 256;
  /** It asks for an OCSP staple. */
  readonly asksForStaple: boolean;
}

export function readHello(ssl: OpenSsl, connection: Pointer): HelloFacts {
  const name = extension(ssl, connection, Extension.ServerName);
  const algorithms = extension(ssl, connection, Extension.SignatureAlgorithms);
  return {
    serverName: name === null ? '' : hostName(name),
    aesBits: aesBits(ssl, connection),
    takesEcdsa: algorithms !== null && hasEcdsa(algorithms),
    asksForStaple: extension(ssl, connection, Extension.StatusRequest) !== null,
  };
}

const aes128 = 0x1301;
const aes256 = 0x1302;

function aesBits(ssl: OpenSsl, connection: Pointer): 0 | 128 | 256 {
  const length = Number(ssl.SSL_client_hello_get0_ciphers(connection, at));
  if (length === 0) return 0;
  const suites = ssl.copy(at.readBigUInt64LE(), length);
  for (let i = 0; i + 1 < suites.length; i += 2) {
    const suite = suites.readUInt16BE(i);
    if (suite === aes256) return 256;
    if (suite === aes128) return 128;
  }
  return 0;
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
  return end > list.length ? '' : list.toString('latin1', 5, end).toLowerCase();
}

/** RFC 8446 section 4.2.3: ecdsa_secp256r1_sha256 and its larger kin end in 3. */
function hasEcdsa(list: Buffer): boolean {
  for (let i = 2; i + 1 < list.length; i += 2) if (list[i + 1] === 3) return true;
  return false;
}
