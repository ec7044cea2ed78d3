// `grpc.health.v1.HealthCheckRequest` and `HealthCheckResponse`, as bytes: a field each.

const serviceTag = 0x0a;
const statusField = 1;
const serving = 1;

/** Wire types of protobuf whose values can be skipped without knowing the message. */
const Wire = { Varint: 0, Fixed64: 1, Bytes: 2, Fixed32: 5 } as const;

export function encodeHealthRequest(service: string): Uint8Array {
  const name = new TextEncoder().encode(service);
  if (name.length === 0) return name;
  return Uint8Array.from([serviceTag, ...varint(name.length), ...name]);
}

/** Whether the answer is SERVING; null: it is no such message. */
export function decodeIsServing(bytes: Uint8Array): boolean | null {
  const cursor = { at: 0 };
  let status = 0;
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const wire = tag & 7;
    if (wire === Wire.Varint) {
      const value = readVarint(bytes, cursor);
      if (tag >>> 3 === statusField) status = value;
    } else if (wire === Wire.Fixed64) cursor.at += 8;
    else if (wire === Wire.Bytes) {
      const length = readVarint(bytes, cursor);
      cursor.at += length;
    } else if (wire === Wire.Fixed32) cursor.at += 4;
    else return null;
    if (!(cursor.at <= bytes.length)) return null;
  }
  return status === serving;
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

/** NaN, and a place behind the end, where the bytes end within it. */
function readVarint(bytes: Uint8Array, cursor: { at: number }): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.at++];
    if (byte === undefined) break;
    if (shift < 32) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value >>> 0;
  }
  cursor.at = bytes.length + 1;
  return NaN;
}
