/**
 * What header blocks cost, encoding and decoding, on a connection that has been in use for a while.
 * `node bench/hpack.ts` prints ns per block, best of several rounds, on the thread it runs on. Values that change are
 * fresh strings, as a decoder makes them.
 */
import { ByteWriter } from '../src/codec/hpack/byte-writer.ts';
import { HpackDecoder, HpackError, tableBytesDefault, type FieldSink } from '../src/codec/hpack/decoder.ts';
import { HpackEncoder } from '../src/codec/hpack/encoder.ts';
import { decodeHuffman, huffmanRoom } from '../src/codec/hpack/huffman/decode.ts';
import { encodeHuffman, huffmanSize } from '../src/codec/hpack/huffman/encode.ts';
import { latin1, writeLatin1 } from '../src/core/bytes.ts';

type Field = readonly [name: string, value: string | readonly string[]];

/** Distinct values of what changes: more than any cache holds, unless a name says otherwise. */
const distinct = 20_000;

const requestIds = made(
  distinct,
  (i) => `9736796e-881e-4b67-b19d-${(i * 7919 + 0x7aa46caa70).toString(16).padStart(12, '0')}`,
);
const newPaths = made(distinct, (i) => `/productpage/${i * 31}?u=normal&page=${i % 100}`);
const fewPaths = made(50, (i) => `/api/v1/products/${i}/reviews`);
const times = made(distinct, (i) => String(i % 40));
const lengths = made(distinct, (i) => String(1000 + (i % 5000)));
const cookie = 'session=eyJ1c2VyIjoiamFzb24ifQ.aBcDeF; theme=dark';

function request(path: string | readonly string[], requestId: string | readonly string[]): Field[] {
  return [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':authority', 'bookinfo.example.com'],
    [':path', path],
    ['user-agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ['accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'],
    ['accept-language', 'en-US,en;q=0.5'],
    ['accept-encoding', 'gzip, deflate, br, zstd'],
    ['cookie', cookie],
    ['x-request-id', requestId],
  ];
}

const response: Field[] = [
  [':status', '200'],
  ['server', 'envoy'],
  ['date', 'Sat, 21 Nov 2026 11:29:23 GMT'],
  ['content-type', 'application/json; charset=utf-8'],
  ['content-length', lengths],
  ['cache-control', 'no-cache, no-store'],
  ['vary', 'accept-encoding'],
  ['x-envoy-upstream-service-time', times],
];

const blocks: readonly (readonly [string, Field[]])[] = [
  ['request, 10 fields, all as before', request('/productpage', requestIds[0])],
  ['request, 10 fields, new :path and x-request-id', request(newPaths, requestIds)],
  ['request, 10 fields, one of 50 :path, new x-request-id', request(fewPaths, requestIds)],
  ['response, 8 fields, new length and service time', response],
];

/** Flat strings that nobody has hashed. */
function made(count: number, text: (i: number) => string): string[] {
  return Array.from({ length: count }, (_, i) => {
    const bytes = Buffer.from(text(i), 'latin1');
    return latin1(bytes, 0, bytes.length);
  });
}

class CountingSink implements FieldSink {
  fields = 0;
  onField(name: string, value: string): void {
    this.fields += name.length + value.length;
  }
}

const rounds = 9;

/** Best ns per call. */
function measure(name: string, calls: number, call: (i: number) => void): void {
  for (let i = 0; i < calls; i++) call(i);
  let best = Infinity;
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < calls; i++) call(i);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
  }
  console.log(`${name.padEnd(72)} ${best.toFixed(0).padStart(5)} ns`);
}

/** Each field's values, one per turn. */
function turnsOf(fields: readonly Field[]): { names: string[]; values: string[][] } {
  return {
    names: fields.map(([name]) => name),
    values: fields.map(([, value]) => (typeof value === 'string' ? [value] : [...value])),
  };
}

function benchEncoder(name: string, fields: readonly Field[]): void {
  const encoder = new HpackEncoder();
  const out = new ByteWriter();
  const { names, values } = turnsOf(fields);
  let turn = 0;
  measure(`encode ${name}`, distinct, () => {
    out.length = 0;
    encoder.begin(out);
    for (let i = 0; i < names.length; i++) encoder.field(out, names[i], values[i][turn % values[i].length]);
    turn++;
  });
  console.log(`${''.padEnd(72)} ${String(out.length).padStart(5)} bytes`);
}

/** Literals as browsers and other proxies write them: Huffman-coded, or as our own encoder writes them. */
function benchDecoder(name: string, fields: readonly Field[], isHuffman: boolean): void {
  const { names, values } = turnsOf(fields);
  const encoder = new HpackEncoder();
  const out = new ByteWriter();
  const wires = Array.from({ length: distinct + 1 }, (_, turn) => {
    out.length = 0;
    encoder.begin(out);
    for (let i = 0; i < names.length; i++) {
      const from = out.length;
      const value = values[i][turn % values[i].length];
      encoder.field(out, names[i], value);
      if (isHuffman) codeLast(out, from, value);
    }
    return out.bytes.slice(0, out.length);
  });
  const decoder = new HpackDecoder({ tableBytesMax: tableBytesDefault });
  const sink = new CountingSink();
  decoder.decode(wires[0], 0, wires[0].length, 60_000, 100, sink);
  let turn = 0;
  measure(`decode ${name}, ${isHuffman ? 'Huffman' : 'plain'}`, distinct, () => {
    const wire = wires[1 + (turn++ % distinct)];
    if (decoder.decode(wire, 0, wire.length, 60_000, 100, sink) !== HpackError.None) throw new Error('not decoded');
  });
  if (sink.fields === 0) throw new Error('nothing was read');
}

/** Codes the value of the literal that begins at `from` and ends the output, as long as its length takes one byte. */
function codeLast(out: ByteWriter, from: number, value: string): void {
  const at = out.length - value.length - 1;
  const isPlain = at > from && out.bytes[at] === value.length;
  if (!isPlain) return;
  const octets = out.bytes.slice(at + 1, out.length);
  const size = huffmanSize(octets, octets.length);
  if (size >= octets.length) return;
  out.bytes[at] = 0x80 | size;
  out.length = encodeHuffman(octets, octets.length, out.bytes, at + 1);
}

function benchHuffman(name: string, texts: readonly string[]): void {
  const octets = new Uint8Array(1024);
  const out = new Uint8Array(1024);
  const coded = texts.map((text) => {
    writeLatin1(octets, text, 0);
    return out.slice(0, encodeHuffman(octets, text.length, out, 0));
  });
  const decoded = new Uint8Array(huffmanRoom(1024));
  measure(`Huffman: decode ${name}`, distinct, (i) => {
    const bytes = coded[i % coded.length];
    decodeHuffman(bytes, 0, bytes.length, decoded);
  });
  measure(`Huffman: encode ${name}`, distinct, (i) => {
    const text = texts[i % texts.length];
    writeLatin1(octets, text, 0);
    if (huffmanSize(octets, text.length) < text.length) encodeHuffman(octets, text.length, out, 0);
  });
}

for (const [name, fields] of blocks) benchEncoder(name, fields);
for (const [name, fields] of blocks) for (const isHuffman of [false, true]) benchDecoder(name, fields, isHuffman);
benchHuffman('a uuid', requestIds);
benchHuffman('a path', newPaths);
