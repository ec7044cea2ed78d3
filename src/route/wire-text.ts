const encoder = new TextEncoder();
// oxlint-disable-next-line no-control-regex
const nonAscii = /[^\x00-\x7f]/;

/**
 * Text of the configuration (UTF-8 there) as it looks on the wire: one character per byte, as heads hold it.
 * Everything that is compared with a head, or becomes part of one, goes through here once, while decoding.
 */
export function wireText(text: string): string {
  return nonAscii.test(text) ? wireBytes(encoder.encode(text)) : text;
}

/** Bytes as latin1 characters. */
export function wireBytes(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return text;
}

/** Lower-cases A–Z only, as Envoy does: `toLowerCase` would change bytes of UTF-8 sequences too. */
export function lowerAscii(text: string): string {
  return nonAscii.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text.toLowerCase();
}
