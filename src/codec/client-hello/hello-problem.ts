/** Why bytes are no ClientHello that a server could answer: BoringSSL's name and number for it. */
export interface HelloProblem {
  readonly name: string;
  readonly reason: number;
}

function problem(name: string, reason: number): HelloProblem {
  return { name, reason };
}

// BoringSSL `include/openssl/ssl.h`, SSL_R_*.
export const WrongVersionNumber = problem('WRONG_VERSION_NUMBER', 247);
export const HttpRequest = problem('HTTP_REQUEST', 156);
export const HttpsProxyRequest = problem('HTTPS_PROXY_REQUEST', 155);
export const EncryptedLengthTooLong = problem('ENCRYPTED_LENGTH_TOO_LONG', 146);
export const DataLengthTooLong = problem('DATA_LENGTH_TOO_LONG', 135);
export const TooManyEmptyFragments = problem('TOO_MANY_EMPTY_FRAGMENTS', 219);
export const UnexpectedRecord = problem('UNEXPECTED_RECORD', 225);
export const ExcessiveMessageSize = problem('EXCESSIVE_MESSAGE_SIZE', 150);
export const ExcessHandshakeData = problem('EXCESS_HANDSHAKE_DATA', 255);
export const UnexpectedMessage = problem('UNEXPECTED_MESSAGE', 223);
export const DecodeError = problem('DECODE_ERROR', 137);
export const ClientHelloParseFailed = problem('CLIENTHELLO_PARSE_FAILED', 131);
export const ErrorParsingExtension = problem('ERROR_PARSING_EXTENSION', 149);
/** A version of TLS that there is not: Envoy's inspector turns it away, while what is no hello may be another protocol. */
export const InvalidVersion = problem('CONNECTION_REJECTED', 133);

/** ERR_LIB_SSL. */
const library = 16;

/** As BoringSSL's error string says it: `error:100000f7:SSL routines:OPENSSL_internal:WRONG_VERSION_NUMBER`. */
export function problemText({ name, reason }: HelloProblem): string {
  const code = ((library << 24) | reason).toString(16).padStart(8, '0');
  return `error:${code}:SSL routines:OPENSSL_internal:${name}`;
}
