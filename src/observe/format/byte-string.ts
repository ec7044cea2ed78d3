/**
 * Byte strings: one character per byte (latin1), as header values come from the wire. Text of the configuration is
 * Unicode and becomes its UTF-8 bytes, so that a log or a header carries what the configuration's author wrote.
 */

// oxlint-disable-next-line no-control-regex
const BEYOND_ASCII = /[^\x00-\x7f]/;
// oxlint-disable-next-line no-control-regex
const ODD_BYTE = /[\x00-\x1f\x7f-\xff"\\]/g;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The UTF-8 bytes of `text`. */
export function toBytes(text: string): string {
  return BEYOND_ASCII.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

/** `"…"` in JSON. What is valid UTF-8 stays as it is; of anything else Envoy escapes each odd byte as `\u00xx`. */
export function quoteJson(bytes: string): string {
  return `"${escapeJson(bytes)}"`;
}

/** The inside of a JSON string. */
export function escapeJson(bytes: string): string {
  for (let i = 0; i < bytes.length; i++) {
    const code = bytes.charCodeAt(i);
    if (code < 0x20 || code > 0x7e || code === 0x22 || code === 0x5c) return escapeRare(bytes);
  }
  return bytes;
}

function escapeRare(bytes: string): string {
  let text: string;
  try {
    text = utf8.decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return bytes.replace(ODD_BYTE, (byte) => `\\u00${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  }
  return toBytes(JSON.stringify(text).slice(1, -1));
}

/** A configured value (metadata, filter state) as JSON, keys sorted as Envoy prints them. Bytes. */
export function jsonOf(value: unknown): string {
  return toBytes(sortedJson(value));
}

function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${sortedJson(inner)}`).join(',')}}`;
}
