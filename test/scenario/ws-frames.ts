import { createHash, randomBytes } from 'node:crypto';

/** Opcodes of RFC 6455 section 5.2. */
export const Opcode = { Text: 1, Binary: 2, Close: 8, Ping: 9, Pong: 10 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A whole message in one frame; a client's is masked. */
export function encodeFrame({ opcode, payload }: Frame, isMasked: boolean): Buffer {
  const size = payload.length;
  const head = Buffer.alloc(size < 126 ? 2 : size < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (size < 126) head[1] = size;
  else if (size < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(size, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(size), 2);
  }
  if (!isMasked) return Buffer.concat([head, payload]);
  head[1] |= 0x80;
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, unmasked(payload, mask)]);
}

/** Cuts bytes into frames, however they arrive. */
export class FrameReader {
  private rest = Buffer.alloc(0);

  take(chunk: Buffer): Frame[] {
    this.rest = Buffer.concat([this.rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const frame = this.next();
      if (frame === null) return frames;
      frames.push(frame);
    }
  }

  private next(): Frame | null {
    const { rest } = this;
    if (rest.length < 2) return null;
    const short = rest[1] & 0x7f;
    const sizeBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
    const maskAt = 2 + sizeBytes;
    const from = maskAt + (rest[1] >= 0x80 ? 4 : 0);
    if (rest.length < from) return null;
    const size = sizeBytes === 0 ? short : sizeBytes === 2 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
    if (rest.length < from + size) return null;
    const payload = rest.subarray(from, from + size);
    this.rest = rest.subarray(from + size);
    return { opcode: rest[0] & 0x0f, payload: unmasked(payload, rest.subarray(maskAt, from)) };
  }
}

/** What a server answers to `sec-websocket-key` (RFC 6455 section 4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

function unmasked(payload: Buffer, mask: Buffer): Buffer {
  if (mask.length === 0) return payload;
  const plain = Buffer.from(payload);
  for (let i = 0; i < plain.length; i++) plain[i] ^= mask[i & 3];
  return plain;
}
