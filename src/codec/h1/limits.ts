/** Every bound of the HTTP/1.1 codec. Those that Envoy lets a configuration change are defaults here. */

/** Bytes of a request head: Envoy's `max_request_headers_kb`. */
export const requestHeadersBytesMax = 60 * 1024;

/** Bytes of a response head: Envoy's codec uses 80 KiB where nothing is configured. */
export const responseHeadersBytesMax = 80 * 1024;

/** Fields of a head or a trailer section: Envoy's `max_headers_count`. */
export const headersCountMax = 100;

/** Largest content-length and chunk-size: beyond, JavaScript's numbers skip values. Envoy's limit is 2^64 - 1. */
export const bodyBytesMax = Number.MAX_SAFE_INTEGER;

/** Bytes of chunk extensions in one message, as Node's own parser has it since CVE-2024-22019. Envoy has no limit. */
export const chunkExtensionBytesMax = 16 * 1024;

/** Digits of a chunk-size, with leading zeros. Envoy has no limit. */
export const chunkSizeDigitsMax = 256;

/** Interim (1xx) responses to one request. Envoy has no limit; curl and Go bound their bytes. */
export const interimResponsesMax = 100;

/** Tokens in a request's Connection header, after which Envoy refuses it (`Utility::sanitizeConnectionHeader`). */
export const connectionTokensMax = 10;

/** Length of a TE field that Connection names, from which Envoy refuses the request (same function). */
export const nominatedTeBytesMax = 256;
