import { boringSslReasons } from './boring-ssl-reasons.ts';
import type { OpenSsl } from './open-ssl.ts';

/** Of the SSL library in BoringSSL's packed errors. */
const sslLibrary = 0x1000_0000;
const firstAlert = 1000;
const errorsMax = 16;

/** OpenSSL's reasons that have another name there. */
const otherNames: Readonly<Record<string, string>> = {
  NO_SUITABLE_SIGNATURE_ALGORITHM: 'NO_COMMON_SIGNATURE_ALGORITHMS',
  NO_SHARED_SIGNATURE_ALGORITHMS: 'NO_COMMON_SIGNATURE_ALGORITHMS',
  NO_SUITABLE_KEY_SHARE: 'NO_SHARED_GROUP',
  NO_SUITABLE_GROUPS: 'NO_SHARED_GROUP',
  NO_SHARED_GROUPS: 'NO_SHARED_GROUP',
  NO_PROTOCOLS_AVAILABLE: 'NO_SUPPORTED_VERSIONS_ENABLED',
  VERSION_TOO_LOW: 'UNSUPPORTED_PROTOCOL',
  VERSION_TOO_HIGH: 'UNSUPPORTED_PROTOCOL',
  PACKET_LENGTH_TOO_LONG: 'ENCRYPTED_LENGTH_TOO_LONG',
  BAD_PACKET: 'DECODE_ERROR',
  INVALID_ALERT: 'BAD_ALERT',
  UNSOLICITED_EXTENSION: 'UNEXPECTED_EXTENSION',
  BAD_LEGACY_VERSION: 'WRONG_VERSION_NUMBER',
  BAD_PROTOCOL_VERSION_NUMBER: 'WRONG_VERSION_NUMBER',
  UNKNOWN_PROTOCOL: 'WRONG_VERSION_NUMBER',
  BAD_RECORD_TYPE: 'UNEXPECTED_RECORD',
  INVALID_STATUS_RESPONSE: 'DECODE_ERROR',
  CALLBACK_FAILED: 'CONNECTION_REJECTED',
  DATA_LENGTH_TOO_LONG: 'ENCRYPTED_LENGTH_TOO_LONG',
  LENGTH_TOO_SHORT: 'CLIENTHELLO_PARSE_FAILED',
  // Says that there was another error.
  RECORD_LAYER_FAILURE: '',
};

const alertNames = new Map(
  Object.entries(boringSslReasons)
    .filter(([, number]) => number >= firstAlert)
    .map(([name, number]) => [number, name]),
);

/**
 * The errors that OpenSSL has queued, as Envoy writes them: `TLS_error:|268435703:SSL
 * routines:OPENSSL_internal:WRONG_VERSION_NUMBER:TLS_error_end`. Empty: there are none. The queue is empty afterwards.
 * @param verification why our side refused the peer's certificate; empty: it did not
 */
export function takeTlsErrors(ssl: OpenSsl, verification: string): string {
  let text = '';
  for (let i = 0; i < errorsMax; i++) {
    const error = ssl.ERR_get_error();
    if (error === 0n) break;
    const name = reasonName(Number(error & 0x7f_ffffn), ssl.text(ssl.ERR_reason_error_string(error)));
    // What several layers say of one failure is said once.
    if (name === '' || text.includes(`:${name}`)) continue;
    text += `|${numberOf(name)}:SSL routines:OPENSSL_internal:${name}`;
    if (name === 'CERTIFICATE_VERIFY_FAILED' && verification !== '') text += `:${verification}`;
    if (name === 'PEER_DID_NOT_RETURN_A_CERTIFICATE') text += ':peer did not provide required client certificate';
  }
  ssl.ERR_clear_error();
  return text === '' ? '' : `TLS_error:${text}:TLS_error_end`;
}

function reasonName(reason: number, words: string): string {
  const alert = alertNames.get(reason);
  if (alert !== undefined) return alert;
  const name = words.toUpperCase().replaceAll(/[^A-Z0-9]+/g, '_');
  return otherNames[name] ?? name;
}

/** What BoringSSL has no number for keeps the library's. */
function numberOf(name: string): number {
  return sslLibrary + (boringSslReasons[name] ?? 0);
}
