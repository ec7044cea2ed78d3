/** The first ones steer the message itself; `FieldName` names their positions. */
const nameList = `host content-length transfer-encoding connection upgrade proxy-connection
  accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials
  access-control-allow-headers access-control-allow-methods access-control-allow-origin access-control-expose-headers
  access-control-max-age access-control-request-headers access-control-request-method age allow alt-svc authorization
  b3 baggage cache-control cdn-loop content-disposition content-encoding content-language content-location
  content-range content-security-policy content-type cookie cross-origin-opener-policy cross-origin-resource-policy
  date dnt early-data etag expect expires forwarded from grpc-accept-encoding grpc-encoding grpc-message grpc-status
  grpc-timeout http2-settings if-match if-modified-since if-none-match if-range if-unmodified-since keep-alive
  last-modified link location max-forwards origin permissions-policy pragma priority proxy-authenticate
  proxy-authorization range referer referrer-policy retry-after sec-ch-ua sec-ch-ua-mobile
  sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user sec-websocket-accept
  sec-websocket-extensions sec-websocket-key sec-websocket-protocol sec-websocket-version server server-timing
  set-cookie strict-transport-security te timing-allow-origin traceparent tracestate trailer
  upgrade-insecure-requests user-agent vary via warning www-authenticate x-amzn-trace-id x-api-key
  x-b3-flags x-b3-parentspanid x-b3-sampled x-b3-spanid x-b3-traceid x-client-trace-id x-content-type-options
  x-correlation-id x-envoy-attempt-count x-envoy-decorator-operation x-envoy-downstream-service-cluster
  x-envoy-downstream-service-node x-envoy-expected-rq-timeout-ms x-envoy-external-address x-envoy-force-trace
  x-envoy-internal x-envoy-max-retries x-envoy-original-host x-envoy-original-path x-envoy-overloaded
  x-envoy-peer-metadata x-envoy-peer-metadata-id x-envoy-ratelimited x-envoy-retry-grpc-on x-envoy-retry-on
  x-envoy-upstream-rq-per-try-timeout-ms x-envoy-upstream-rq-timeout-ms x-envoy-upstream-service-time
  x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-prefix x-forwarded-proto
  x-frame-options x-powered-by x-real-ip x-request-id x-requested-with x-xss-protection`.split(/\s+/);

/**
 * Field names that come out of the decoder as these very strings. They are taken from an object's keys because V8
 * internalises those, and two internalised strings are compared by their pointers.
 */
export const fieldNames: readonly string[] = Object.keys(Object.fromEntries(nameList.map((name) => [name, true])));

/** Positions of the names that the codec itself reads; there are `steeringNames` of them. */
export const FieldName = {
  Host: 0,
  ContentLength: 1,
  TransferEncoding: 2,
  Connection: 3,
  Upgrade: 4,
  ProxyConnection: 5,
} as const;
export const steeringNames = 6;

const slotCount = 1024;
const firstIn = new Int16Array(slotCount).fill(-1);
const nextAfter = new Int16Array(fieldNames.length).fill(-1);
const spellings = fieldNames.map((name) => Uint8Array.from(name, (c) => c.charCodeAt(0)));

/** From a name's length and four of its lower-case bytes. The factors give each of `fieldNames` a slot of its own. */
function slotOf(length: number, first: number, middle: number, secondLast: number, last: number): number {
  return (length * 624 + first * 236 + middle * 676 + secondLast * 930 + last * 833) & (slotCount - 1);
}

for (let i = 0; i < spellings.length; i++) {
  const name = spellings[i];
  const n = name.length;
  const slot = slotOf(n, name[0], name[n >> 1], name[n - 2], name[n - 1]);
  nextAfter[i] = firstIn[slot]!;
  firstIn[slot] = i;
}

/**
 * Position in `fieldNames` of the name that is `bytes[start, end)` in any case; -1: not a well-known one.
 * The bytes must be above SP: then setting the bit of lower case changes letters only into letters, and what these
 * names have besides letters into itself.
 */
export function findFieldName(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  if (length < 2) return -1;
  const slot = slotOf(
    length,
    bytes[start] | 0x20,
    bytes[start + (length >> 1)] | 0x20,
    bytes[end - 2] | 0x20,
    bytes[end - 1] | 0x20,
  );
  let found = firstIn[slot];
  while (found >= 0 && !isSpelled(spellings[found], bytes, start, length)) found = nextAfter[found]!;
  return found;
}

function isSpelled(spelling: Uint8Array, bytes: Uint8Array, start: number, length: number): boolean {
  if (spelling.length !== length) return false;
  for (let i = 0; i < length; i++) if ((bytes[start + i] | 0x20) !== spelling[i]) return false;
  return true;
}

export const nameLengths: Uint8Array = Uint8Array.from(fieldNames, (name) => name.length);

/** A name in groups of four bytes; the last group ends with the name. */
const groupsMax = 16;
const groups = new Int32Array(fieldNames.length * groupsMax);
/** The bit of lower case where it has a letter. */
const letters = new Int32Array(fieldNames.length * groupsMax);

for (let name = 0; name < spellings.length; name++) {
  const spelling = spellings[name];
  const view = new DataView(spelling.buffer);
  const bits = new DataView(spelling.map((c) => (c >= 97 && c <= 122 ? 0x20 : 0)).buffer);
  for (let i = 0; i * 4 < spelling.length && spelling.length >= 4; i++) {
    const at = Math.min(i * 4, spelling.length - 4);
    groups[name * groupsMax + i] = view.getInt32(at, true);
    letters[name * groupsMax + i] = bits.getInt32(at, true);
  }
}

/** Whether the name stands there, in any case. Its length lies within `view`. Very short names are never found. */
export function isNameAt(name: number, view: DataView, at: number): boolean {
  const last = nameLengths[name] - 4;
  if (last < 0) return false;
  let group = name * groupsMax;
  for (let i = 0; i < last; i += 4, group++)
    if ((view.getInt32(at + i, true) | letters[group]) !== groups[group]) return false;
  return (view.getInt32(at + last, true) | letters[group]) === groups[group];
}
