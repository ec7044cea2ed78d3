/** A message as it travels over TCP: its length before it (RFC 1035 section 4.2.2). */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(2 + message.length);
  bytes[0] = message.length >> 8;
  bytes[1] = message.length & 0xff;
  bytes.set(message, 2);
  return bytes;
}

/** Cuts a stream into messages, which may be split in any way. */
export class FramedReader {
  private readonly onMessage: (message: Uint8Array) => void;
  private kept: Uint8Array;

  constructor(onMessage: (message: Uint8Array) => void) {
    this.onMessage = onMessage;
    this.kept = new Uint8Array();
  }

  read(chunk: Uint8Array): void {
    let bytes = this.kept.length === 0 ? chunk : Buffer.concat([this.kept, chunk]);
    while (bytes.length >= 2) {
      const length = (bytes[0] << 8) | bytes[1];
      if (bytes.length < 2 + length) break;
      this.onMessage(bytes.subarray(2, 2 + length));
      bytes = bytes.subarray(2 + length);
    }
    this.kept = Uint8Array.from(bytes);
  }
}
