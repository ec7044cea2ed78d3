import type { TlsConnection } from '../tls-connection.ts';
import type { TlsEngine } from '../tls-engine.ts';
import { tlsEngine } from '../tls-engine.ts';
import type { CallbackSignature, Pointer } from '../open-ssl/open-ssl.ts';

const SelectResult = { Ok: 0, NoAck: 3 } as const;
/** Alert. */
const internalError = 80;
const HelloResult = { Fail: 0, Ok: 1 } as const;

/** What OpenSSL asks during a handshake, by the connection that it is about. */
export interface HandshakeQuestions {
  /** Index into what the client offers; -1: none is spoken here, and the handshake goes on without. */
  selectProtocol(connection: TlsConnection, offered: readonly string[]): number;
  /** `X509_STORE_CTX` with the peer's chain. False: refused. */
  verifyPeer(connection: TlsConnection, store: Pointer): boolean;
  /** The ClientHello is there and nothing was chosen. The alert that it is refused with (RFC 8446 section 6); 0: it is not. */
  onClientHello(connection: TlsConnection): number;
  /** DER of an OCSP response for the certificate that is presented; null: none. */
  staple(connection: TlsConnection): Uint8Array | null;
  logKey(connection: TlsConnection, line: string): void;
  /** A session that may be resumed later. True: it is kept, and freed later. */
  keepSession(connection: TlsConnection, session: Pointer): boolean;
  /** Keys of session tickets, the newest first. */
  readonly ticketKeys: readonly Uint8Array[];
}

/** Functions that OpenSSL calls, made once for a thread: whom they are about, the engine knows. */
export interface Callbacks {
  readonly selectProtocol: Pointer;
  readonly verifyPeer: Pointer;
  readonly clientHello: Pointer;
  readonly staple: Pointer;
  readonly logKey: Pointer;
  readonly newSession: Pointer;
}

const signatures = {
  selectProtocol: ['u64 u64 u64 u64 u32 u64', 'i32'],
  verifyPeer: ['u64 u64', 'i32'],
  clientHello: ['u64 u64 u64', 'i32'],
  staple: ['u64 u64', 'i32'],
  logKey: ['u64 u64', 'void'],
  newSession: ['u64 u64', 'i32'],
} as const satisfies Record<string, CallbackSignature>;

function make(engine: TlsEngine): Callbacks {
  const { ssl } = engine;
  return {
    selectProtocol: ssl.callback(
      signatures.selectProtocol,
      (_: Pointer, out: Pointer, size: Pointer, at: Pointer, length: number) =>
        selectProtocol(engine, out, size, at, length),
    ),
    verifyPeer: ssl.callback(signatures.verifyPeer, (store: Pointer) => {
      const connection = engine.current!;
      return guarded(() => (connection.handshake.verifyPeer(connection, store) ? 1 : 0), 0);
    }),
    clientHello: ssl.callback(signatures.clientHello, (_: Pointer, alert: Pointer) => {
      const connection = engine.current!;
      const refusal = guarded(() => connection.handshake.onClientHello(connection), internalError);
      if (refusal === 0) return HelloResult.Ok;
      ssl.setInt(alert, refusal);
      return HelloResult.Fail;
    }),
    staple: ssl.callback(signatures.staple, (handle: Pointer) => staple(engine, handle)),
    logKey: ssl.callback(signatures.logKey, (_: Pointer, line: Pointer) => {
      const connection = engine.current;
      if (connection !== null) guarded(() => connection.handshake.logKey(connection, ssl.text(line)), undefined);
    }),
    newSession: ssl.callback(signatures.newSession, (_: Pointer, session: Pointer) => {
      const connection = engine.current;
      return connection !== null && guarded(() => connection.handshake.keepSession(connection, session), false) ? 1 : 0;
    }),
  };
}

/** Nothing may be thrown through OpenSSL's frames: it is thrown when they are left. */
function guarded<T>(run: () => T, otherwise: T): T {
  try {
    return run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
    return otherwise;
  }
}

function selectProtocol(engine: TlsEngine, out: Pointer, size: Pointer, at: Pointer, length: number): number {
  const { ssl } = engine;
  const offers = ssl.copy(at, length);
  const offered: string[] = [];
  const offsets: number[] = [];
  for (let i = 0; i < offers.length && i + 1 + offers[i] <= offers.length; i += 1 + offers[i]) {
    offered.push(offers.toString('latin1', i + 1, i + 1 + offers[i]));
    offsets.push(i);
  }
  const connection = engine.current!;
  const chosen = guarded(() => connection.handshake.selectProtocol(connection, offered), -1);
  if (chosen < 0) return SelectResult.NoAck;
  ssl.setPointer(out, at + BigInt(offsets[chosen] + 1));
  ssl.setByte(size, offers[offsets[chosen]]);
  return SelectResult.Ok;
}

const SetOcspResponse = 71;

function staple(engine: TlsEngine, handle: Pointer): number {
  const { ssl } = engine;
  const connection = engine.current!;
  const response = guarded(() => connection.handshake.staple(connection), null);
  if (response === null) return SelectResult.NoAck;
  // OpenSSL frees it.
  const memory = ssl.CRYPTO_malloc(BigInt(response.length), 0n, 0);
  ssl.view(memory, response.length).set(response);
  ssl.SSL_ctrl(handle, SetOcspResponse, BigInt(response.length), memory);
  return SelectResult.Ok;
}

let made: Callbacks | null = null;

/** This thread's. */
export function callbacks(): Callbacks {
  made ??= make(tlsEngine());
  return made;
}
