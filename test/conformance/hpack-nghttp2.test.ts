import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, type Socket, connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HpackDecoder } from '../../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../../src/codec/hpack/encoder.ts';
import { type Pair, encode, fieldsOf } from '../unit/codec/hpack/hex.ts';

// Node's http2 is nghttp2: it decodes what we encode, and the other way round.

const FrameType = { Headers: 1, Settings: 4 } as const;
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';

function frame(type: number, flags: number, stream: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A client that is nothing but frames: blocks go out, and the blocks of the answers come in, in their order. */
class BlockClient {
  readonly socket: Socket;
  readonly answers: Buffer[];
  private held: Buffer;
  private waiting: (() => void) | null;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.answers = [];
    this.held = Buffer.alloc(0);
    this.waiting = null;
    this.socket.on('data', (chunk: Buffer) => this.receive(chunk));
    this.socket.write(Buffer.concat([Buffer.from(preface), frame(FrameType.Settings, 0, 0, new Uint8Array(0))]));
  }

  async exchange(stream: number, block: Uint8Array): Promise<Buffer> {
    this.socket.write(frame(FrameType.Headers, 0x05, stream, block));
    while (this.answers.length === 0) await new Promise<void>((resolve) => (this.waiting = resolve));
    return this.answers.shift()!;
  }

  private receive(chunk: Buffer): void {
    this.held = Buffer.concat([this.held, chunk]);
    while (this.held.length >= 9 && this.held.length >= 9 + this.held.readUIntBE(0, 3)) {
      const end = 9 + this.held.readUIntBE(0, 3);
      const [type, flags] = [this.held[3], this.held[4]];
      if (type === FrameType.Headers) this.answers.push(this.held.subarray(9, end));
      if (type === FrameType.Settings && (flags & 1) === 0) {
        this.socket.write(frame(FrameType.Settings, 1, 0, new Uint8Array(0)));
      }
      this.held = this.held.subarray(end);
    }
    this.waiting?.();
  }
}

const heard: string[][] = [];
let answer: http2.OutgoingHttpHeaders = {};
const server = http2.createServer();
server.on('stream', (stream: http2.ServerHttp2Stream, _headers, _flags, rawHeaders) => {
  heard.push(rawHeaders);
  stream.respond(answer, { endStream: true });
});

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterAll(() => {
  server.close();
});

/** A request that differs from the others in some of its fields. */
function request(turn: number): Pair[] {
  return [
    [':method', turn % 3 === 0 ? 'GET' : 'POST'],
    [':scheme', 'http'],
    [':authority', `host-${turn % 5}.example`],
    [':path', turn % 4 === 0 ? '/' : `/path/${turn}?q=${'x'.repeat(turn % 200)}`],
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ['authorization', 'Bearer eyJhbGciOiJIUzI1NiJ9'],
    ['cookie', turn % 2 === 0 ? 'short=1' : `session=${'s'.repeat(turn % 150)}`],
    ['x-request-id', `9736796e-881e-4b67-b19d-${String(turn).padStart(12, '0')}`],
    [`x-name-${turn % 40}`, `value ${turn % 7} "{}~\\^`],
    ['x-latin1', String.fromCharCode(0xe4, 0xff, 0x80 + (turn % 100))],
    ['x-empty', ''],
  ];
}

test.for([
  ['with the usual table', 4096],
  ['with a small table', 300],
  ['without a table', 0],
] as const)('nghttp2 reads what we write, %s', async ([, tableBytesMax]) => {
  const client = new BlockClient((server.address() as AddressInfo).port);
  const encoder = new HpackEncoder(tableBytesMax);
  const decoder = new HpackDecoder({ tableBytesMax: 4096 });
  answer = { ':status': 204 };
  for (let turn = 0; turn < 300; turn++) {
    // nghttp2 allows 4096 at any time.
    if (turn === 100) encoder.setPeerTableBytesMax(150);
    if (turn === 150) for (const bytes of [0, 4096]) encoder.setPeerTableBytesMax(bytes);
    const fields = request(turn);
    heard.length = 0;
    fieldsOf(decoder, await client.exchange(turn * 2 + 1, encode(encoder, fields)));
    expect(heard).toEqual([fields.flat()]);
  }
  client.socket.destroy();
});

test('we read what nghttp2 writes', async () => {
  const client = new BlockClient((server.address() as AddressInfo).port);
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder({ tableBytesMax: 4096 });
  for (let turn = 0; turn < 300; turn++) {
    const fields: Pair[] = [
      [':status', String(200 + (turn % 37))],
      ['content-type', 'application/json; charset=utf-8'],
      ['content-length', String(turn * 31)],
      ['set-cookie', `a=${turn}`],
      ['etag', `"${turn}"`],
      [`x-name-${turn % 50}`, `value ${turn % 9} "{}~\\^<>`],
      ['x-large', 'y'.repeat(turn * 7)],
      ['x-empty', ''],
      ['date', `Sat, 21 Nov 2026 11:29:${turn % 60} GMT`],
    ];
    answer = Object.fromEntries(fields);
    const block = await client.exchange(turn * 2 + 1, encode(encoder, request(turn)));
    expect(fieldsOf(decoder, block)).toEqual(fields);
  }
  client.socket.destroy();
});
