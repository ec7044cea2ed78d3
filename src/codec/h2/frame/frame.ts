/** Frame types (RFC 9113 section 6). */
export const FrameType = {
  Data: 0,
  Headers: 1,
  Priority: 2,
  ResetStream: 3,
  Settings: 4,
  PushPromise: 5,
  Ping: 6,
  GoAway: 7,
  WindowUpdate: 8,
  Continuation: 9,
} as const;
export type FrameType = (typeof FrameType)[keyof typeof FrameType];

/** Bits of a frame's flags; what a bit means depends on the type. */
export const FrameFlag = { EndStream: 0x1, Ack: 0x1, EndHeaders: 0x4, Padded: 0x8, Priority: 0x20 } as const;

/** Length (24 bits), type (8), flags (8), a reserved bit, stream identifier (31). */
export const frameHeaderBytes = 9;

/** Largest payload that a peer must take, and that we take (RFC 9113 section 4.2). */
export const frameBytesDefault = 16384;

/** A window as the protocol begins it (RFC 9113 section 6.9.2). */
export const windowBytesDefault = 65535;

/** Stream identifiers and windows have 31 bits. */
export const int31Max = 0x7fffffff;

/** What a client sends first (RFC 9113 section 3.4). */
export const clientPreface = Uint8Array.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', (c) => c.charCodeAt(0));

/** A 32-bit number without its sign. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

/** As `readUint32`, without the reserved bit. */
export function readUint31(bytes: Uint8Array, at: number): number {
  return ((bytes[at] & 0x7f) << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

export function writeUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
