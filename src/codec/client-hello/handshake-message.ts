import { latin1 } from '../../core/bytes.ts';
import {
  DataLengthTooLong,
  EncryptedLengthTooLong,
  ExcessHandshakeData,
  ExcessiveMessageSize,
  HttpRequest,
  HttpsProxyRequest,
  TooManyEmptyFragments,
  UnexpectedMessage,
  UnexpectedRecord,
  WrongVersionNumber,
  type HelloProblem,
} from './hello-problem.ts';

const recordHeaderBytes = 5;
const messageHeaderBytes = 4;
const handshakeRecord = 22;
const clientHelloMessage = 1;
/** Every version of TLS says 3 here. */
const majorVersion = 3;

// BoringSSL's limits: SSL3_RT_MAX_PLAIN_LENGTH, SSL3_RT_MAX_ENCRYPTED_LENGTH, kMaxMessageLen, kMaxEmptyRecords.
const plainBytesMax = 16_384;
const encryptedBytesMax = plainBytesMax + 320;
const messageBytesMax = 16_384;
const emptyRecordsMax = 32;

/** The first handshake message, out of its records. */
export interface HandshakeMessage {
  /** Null: all is well. */
  readonly problem: HelloProblem | null;
  /** Without its header. */
  readonly body: Uint8Array;
  /** How many of the bytes were looked at: the records of the message, or up to what is wrong. */
  readonly consumed: number;
}

/** Those that BoringSSL knows. */
const httpMethods = ['GET ', 'POST ', 'HEAD ', 'PUT '];

const nothing = new Uint8Array(0);

function refused(problem: HelloProblem, consumed: number): HandshakeMessage {
  return { problem, body: nothing, consumed };
}

/**
 * The ClientHello that `bytes` begin with; null: it is not all there yet. In the order in which BoringSSL looks
 * (`tls_open_handshake`, `tls_open_record`, `tls_get_message`), so that the same is found of the same bytes.
 */
export function readHandshakeMessage(bytes: Uint8Array): HandshakeMessage | null {
  if (bytes.length < recordHeaderBytes) return null;
  const http = httpProblem(bytes);
  if (http !== null) return refused(http, recordHeaderBytes);
  let at = 0;
  let emptyRecords = 0;
  const bodies: Uint8Array[] = [];
  let gathered = 0;
  for (;;) {
    if (bytes.length < at + recordHeaderBytes) return null;
    const body = at + recordHeaderBytes;
    const size = (bytes[at + 3] << 8) | bytes[at + 4];
    if (bytes[at + 1] !== majorVersion) return refused(WrongVersionNumber, body);
    if (size > encryptedBytesMax) return refused(EncryptedLengthTooLong, body);
    if (bytes.length < body + size) return null;
    if (size > plainBytesMax) return refused(DataLengthTooLong, body + size);
    if (bytes[at] !== handshakeRecord) return refused(UnexpectedRecord, body + size);
    at = body + size;
    if (size === 0) {
      if (++emptyRecords > emptyRecordsMax) return refused(TooManyEmptyFragments, body);
      continue;
    }
    emptyRecords = 0;
    bodies.push(bytes.subarray(body, at));
    gathered += size;
    if (gathered < messageHeaderBytes) continue;
    const message = messageOf(bodies, gathered, at);
    if (message !== null) return message;
  }
}

/** Null: more records have to come. */
function messageOf(bodies: Uint8Array[], gathered: number, consumed: number): HandshakeMessage | null {
  // Its header may be in pieces too.
  if (bodies[0].length < messageHeaderBytes) bodies.splice(0, bodies.length, concatenated(bodies, gathered));
  const [first] = bodies;
  const size = (first[1] << 16) | (first[2] << 8) | first[3];
  if (size > messageBytesMax) return refused(ExcessiveMessageSize, consumed);
  const end = messageHeaderBytes + size;
  if (gathered < end) return null;
  if (first[0] !== clientHelloMessage) return refused(UnexpectedMessage, consumed);
  if (gathered > end) return refused(ExcessHandshakeData, consumed);
  const whole = bodies.length === 1 ? first : concatenated(bodies, gathered);
  return { problem: null, body: whole.subarray(messageHeaderBytes, end), consumed };
}

function concatenated(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** Somebody speaks HTTP to it, which is worth a word of its own. */
function httpProblem(bytes: Uint8Array): HelloProblem | null {
  // No record begins with a letter.
  if (bytes[0] < 0x41) return null;
  const start = latin1(bytes, 0, recordHeaderBytes);
  if (httpMethods.some((method) => start.startsWith(method))) return HttpRequest;
  return start === 'CONNE' ? HttpsProxyRequest : null;
}
