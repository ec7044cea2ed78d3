import type { ByteTarget } from './byte-writer.ts';

export type { ByteTarget } from './byte-writer.ts';

/** The writing half of HPACK (RFC 7541) of one connection. */
export class HpackEncoder {
  constructor(_tableBytesMax = 4096) {}

  setPeerTableBytesMax(_bytes: number): void {}

  begin(_out: ByteTarget): void {}

  field(out: ByteTarget, name: string, value: string): void {
    this.neverIndexed(out, name, value);
  }

  neverIndexed(out: ByteTarget, name: string, value: string): void {
    out.ensure(name.length + value.length + 12);
    out.bytes[out.length++] = 0x10;
    this.text(out, name);
    this.text(out, value);
  }

  private text(out: ByteTarget, text: string): void {
    const { bytes } = out;
    bytes[out.length++] = text.length & 0x7f;
    for (let i = 0; i < text.length; i++) bytes[out.length++] = text.charCodeAt(i);
  }
}
