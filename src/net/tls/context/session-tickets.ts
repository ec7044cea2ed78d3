import { randomFillSync } from 'node:crypto';
import type { TlsEngine } from '../tls-engine.ts';
import { tlsEngine } from '../tls-engine.ts';
import type { CallbackSignature, OpenSsl, Pointer } from '../open-ssl/open-ssl.ts';

/** What a key of 80 bytes is made of, as in Envoy and nginx: name, HMAC key, AES key. */
const nameBytes = 16;
const hmacBytes = 32;
export const ticketKeyBytes = 80;

const Ticket = { Error: -1, Unknown: 0, Good: 1, Renew: 2 } as const;
const ParameterType = { Utf8: 4, Octets: 5 } as const;
const parameterBytes = 40;

const signature: CallbackSignature = ['u64 u64 u64 u64 u64 i32', 'i32'];

/** Where a ticket key's parts are, as OpenSSL's structures want them. Made once per key. */
class TicketKey {
  readonly name: Buffer;
  readonly aes: Buffer;
  /** OSSL_PARAM[]: key, digest, end. */
  readonly parameters: Buffer;
  /** What the parameters point to must stay as long as they. */
  readonly pointedTo: readonly Buffer[];

  constructor(ssl: OpenSsl, key: Uint8Array) {
    const own = Buffer.from(key);
    this.name = own.subarray(0, nameBytes);
    this.aes = own.subarray(nameBytes + hmacBytes, ticketKeyBytes);
    const hmac = own.subarray(nameBytes, nameBytes + hmacBytes);
    const [keyName, digestName, digest] = ['key\0', 'digest\0', 'SHA256\0'].map((text) => Buffer.from(text));
    this.pointedTo = [own, keyName, digestName, digest];
    this.parameters = Buffer.alloc(3 * parameterBytes);
    const describe = (at: number, name: Buffer, type: number, data: Buffer, size: number): void => {
      this.parameters.writeBigUInt64LE(ssl.addressOf(name), at);
      this.parameters.writeUInt32LE(type, at + 8);
      this.parameters.writeBigUInt64LE(ssl.addressOf(data), at + 16);
      this.parameters.writeBigUInt64LE(BigInt(size), at + 24);
    };
    describe(0, keyName, ParameterType.Octets, hmac, hmacBytes);
    describe(parameterBytes, digestName, ParameterType.Utf8, digest, 'SHA256'.length);
  }
}

const known = new WeakMap<Uint8Array, TicketKey>();

function keyOf(ssl: OpenSsl, key: Uint8Array): TicketKey {
  let made = known.get(key);
  if (made === undefined) known.set(key, (made = new TicketKey(ssl, key)));
  return made;
}

/** Fills in what a ticket is made with, or opened with: the newest key makes, all open. */
function run(engine: TlsEngine, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer, isNew: number): number {
  const { ssl } = engine;
  const keys = engine.current?.handshake.ticketKeys ?? [];
  if (keys.length === 0) return isNew === 1 ? Ticket.Error : Ticket.Unknown;
  const aes = ssl.EVP_aes_256_cbc();
  if (isNew === 1) {
    const key = keyOf(ssl, keys[0]);
    ssl.view(name, nameBytes).set(key.name);
    const start = randomFillSync(Buffer.alloc(nameBytes));
    ssl.view(iv, nameBytes).set(start);
    const isSet = ssl.EVP_EncryptInit_ex(cipher, aes, 0n, key.aes, start) === 1;
    return isSet && ssl.EVP_MAC_CTX_set_params(mac, key.parameters) === 1 ? Ticket.Good : Ticket.Error;
  }
  const wanted = ssl.copy(name, nameBytes);
  const index = keys.findIndex((key) => wanted.equals(key.subarray(0, nameBytes)));
  if (index < 0) return Ticket.Unknown;
  const key = keyOf(ssl, keys[index]);
  const isSet =
    ssl.EVP_MAC_CTX_set_params(mac, key.parameters) === 1 && ssl.EVP_DecryptInit_ex(cipher, aes, 0n, key.aes, iv) === 1;
  if (!isSet) return Ticket.Error;
  return index === 0 ? Ticket.Good : Ticket.Renew;
}

let made: Pointer | null = null;

/** For `SSL_CTX_set_tlsext_ticket_key_evp_cb`; this thread's. */
export function ticketCallback(): Pointer {
  const engine = tlsEngine();
  made ??= engine.ssl.callback(
    signature,
    (_: Pointer, name: Pointer, iv: Pointer, cipher: Pointer, mac: Pointer, isNew: number) => {
      try {
        return run(engine, name, iv, cipher, mac, isNew);
      } catch {
        return Ticket.Error;
      }
    },
  );
  return made;
}
