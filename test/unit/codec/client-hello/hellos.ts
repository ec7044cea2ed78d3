/** ClientHellos made by hand: what a client would never send, too. */

export const u8 = (value: number): Buffer => Buffer.from([value & 255]);
export const u16 = (value: number): Buffer => Buffer.from([(value >> 8) & 255, value & 255]);
const u24 = (value: number): Buffer => Buffer.from([(value >> 16) & 255, (value >> 8) & 255, value & 255]);
export const vector8 = (bytes: Buffer): Buffer => Buffer.concat([u8(bytes.length), bytes]);
export const vector16 = (bytes: Buffer): Buffer => Buffer.concat([u16(bytes.length), bytes]);
const numbers = (list: readonly number[]): Buffer => Buffer.concat(list.map(u16));

export const extension = (type: number, contents: Buffer): Buffer => Buffer.concat([u16(type), vector16(contents)]);
export const serverName = (name: string): Buffer =>
  extension(0, vector16(Buffer.concat([u8(0), vector16(Buffer.from(name, 'latin1'))])));
export const protocols = (...names: string[]): Buffer =>
  extension(16, vector16(Buffer.concat(names.map((name) => vector8(Buffer.from(name, 'latin1'))))));
export const groups = (...list: number[]): Buffer => extension(10, vector16(numbers(list)));
export const pointFormats = (...list: number[]): Buffer => extension(11, vector8(Buffer.from(list)));
export const signatures = (...list: number[]): Buffer => extension(13, vector16(numbers(list)));
export const versions = (...list: number[]): Buffer => extension(43, vector8(numbers(list)));

export interface HelloParts {
  readonly version?: number;
  readonly session?: Buffer;
  readonly suites?: readonly number[];
  readonly compression?: Buffer;
  /** Null: no list at all. */
  readonly extensions?: readonly Buffer[] | null;
}

/** The body of a ClientHello. */
export function body(parts: HelloParts = {}): Buffer {
  const { extensions = [], version = 0x0303, session = Buffer.alloc(32, 7) } = parts;
  const { suites = [0x1301, 0x1302, 0xc02f, 0xc030, 0x009c], compression = Buffer.from([0]) } = parts;
  return Buffer.concat([
    u16(version),
    Buffer.alloc(32, 1),
    vector8(session),
    vector16(numbers(suites)),
    vector8(compression),
    extensions === null ? Buffer.alloc(0) : vector16(Buffer.concat(extensions)),
  ]);
}

export const message = (contents: Buffer, type = 1): Buffer =>
  Buffer.concat([u8(type), u24(contents.length), contents]);
export const record = (contents: Buffer, type = 22, version = 0x0301): Buffer =>
  Buffer.concat([u8(type), u16(version), vector16(contents)]);

/** A ClientHello in one record. */
export const hello = (parts: HelloParts = {}): Buffer => record(message(body(parts)));

/** As a browser would ask. */
export const usual = (name = 'a.example.com', ...alpn: string[]): Buffer =>
  hello({
    extensions: [
      serverName(name),
      extension(23, Buffer.alloc(0)),
      extension(0xff01, Buffer.from([0])),
      groups(0x001d, 0x0017),
      pointFormats(0),
      ...(alpn.length === 0 ? [] : [protocols(...alpn)]),
      signatures(0x0403, 0x0804, 0x0401),
      versions(0x0304, 0x0303),
    ],
  });
