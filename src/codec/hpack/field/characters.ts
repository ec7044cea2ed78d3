/** What an octet may be part of: bits. */
const nameBit = 1;
const valueBit = 2;

const classes = new Uint8Array(256);
for (const c of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz") classes[c.charCodeAt(0)] = nameBit;
for (let octet = 0x20; octet < 256; octet++) if (octet !== 0x7f) classes[octet] |= valueBit;
classes[0x09] = valueBit;

const colon = 0x3a;

/** Whether `bytes[start, end)` is a lower-case token (RFC 9113 section 8.2.1), after one colon or none. */
export function isCleanName(bytes: Uint8Array, start: number, end: number): boolean {
  if (bytes[start] === colon) start++;
  if (start >= end) return false;
  let all = nameBit;
  for (let at = start; at < end; at++) all &= classes[bytes[at]];
  return all !== 0;
}

/** Whether `bytes[start, end)` is a field value without white space around it (RFC 9110 section 5.5). */
export function isCleanValue(bytes: Uint8Array, start: number, end: number): boolean {
  let all = valueBit;
  for (let at = start; at < end; at++) all &= classes[bytes[at]];
  return all !== 0 && !isPadded(bytes, start, end);
}

/** Whether `bytes[start, end)` begins or ends with white space. */
export function isPadded(bytes: Uint8Array, start: number, end: number): boolean {
  return start < end && (isBlank(bytes[start]) || isBlank(bytes[end - 1]));
}

/** Whether a field value may have the octet in it. */
export function isValueOctet(octet: number): boolean {
  return (classes[octet] & valueBit) !== 0;
}

function isBlank(octet: number): boolean {
  return octet === 0x20 || octet === 0x09;
}
