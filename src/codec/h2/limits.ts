/** Every bound of the HTTP/2 codec. Those that Envoy lets a configuration change are defaults here. */

/** After the answer to a request that is not complete: milliseconds until RST_STREAM says that the rest is not wanted. */
export const earlyAnswerMs = 50;

/** Streams of a connection that wait so; more than that, and the oldest waits no longer. */
export const earlyAnswersMax = 100;

/** Bytes of a request head: Envoy's `max_request_headers_kb`. */
export const requestHeadersBytesMax = 60 * 1024;

/** Bytes of a response head: Envoy's `max_response_headers_kb`. */
export const responseHeadersBytesMax = 60 * 1024;

/** Fields of a head or a trailer section, pseudo-headers too: Envoy's `max_headers_count`. */
export const headersCountMax = 100;

/** Interim (1xx) responses to one request. Envoy has no limit; curl and Go bound their bytes. */
export const interimResponsesMax = 100;

/**
 * A header block may be this many times as large as the list it stands for: HPACK never needs more. A larger one ends
 * the connection, for skipping it would leave the compression state behind.
 */
export const blockBytesFactor = 2;

/** CONTINUATION frames of one header block beyond those that its bytes need. nghttp2 takes 8 altogether. */
export const continuationFramesMax = 64;

/** Settings in one SETTINGS frame. nghttp2's limit. */
export const settingsPerFrameMax = 32;

/** Streams that were reset a while ago, and whose late frames are therefore no error. */
export const resetStreamsRemembered = 1024;

/** DATA up to this size is copied behind its frame header: cheaper than another write. */
export const copiedDataBytesMax = 2048;

/** DATA of one frame, if the peer takes such: larger ones would hold up the other streams. */
export const sentFrameBytesMax = 64 * 1024;

/** Small frames that wait for the end of what is being read leave earlier when there are more of them. */
export const gatheredBytesMax = 32 * 1024;

/** What HPACK's count of a list has for each field beyond its bytes (RFC 7541 section 4.1). */
export const fieldOverheadBytes = 32;

/** Queued pieces up to this size are copied when they lie in much larger memory, which they would hold. */
export const copiedQueueBytesMax = 4096;

/** Unsent bytes of one stream after which its user is told to wait. Envoy takes the stream window, 16 MiB. */
export const streamBufferBytesMax = 1024 * 1024;

/** Unsent bytes of a connection after which each of its streams may hold only `crowdedStreamBytesMax`. */
export const connectionBufferBytesMax = 16 * 1024 * 1024;
export const crowdedStreamBytesMax = 16 * 1024;
