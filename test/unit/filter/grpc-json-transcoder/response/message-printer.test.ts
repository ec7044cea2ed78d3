import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  MessagePrinter,
  type PrintOptions,
} from '../../../../../src/filter/grpc-json-transcoder/response/message-printer.ts';
import { every, schema } from '../library.ts';

const plain: PrintOptions = {
  addsWhitespace: false,
  printsDefaults: false,
  printsEnumsAsInts: false,
  keepsProtoNames: false,
};
const full: PrintOptions = {
  addsWhitespace: true,
  printsDefaults: true,
  printsEnumsAsInts: true,
  keepsProtoNames: true,
};

function print(options: PrintOptions, hex: string): string {
  const printed = new MessagePrinter(schema, options).print(every, Buffer.from(hex, 'hex'));
  return 'json' in printed ? printed.json : `502 ${printed.error}`;
}

type Row = readonly [name: string, hex: string, json: string, full: string];
const rows = JSON.parse(readFileSync(new URL('../observed-messages.json', import.meta.url), 'utf8')) as Row[];
const inFull = rows.filter((row) => row.length === 4);

test.each(rows)('as observed on Envoy 1.39.3: %s', (_name, hex, json) => {
  expect(print(plain, hex)).toBe(json);
});

test.each(inFull)('with everything, as observed on Envoy 1.39.3: %s', (_name, hex, _json, everything) => {
  expect(print(full, hex)).toBe(everything);
});

describe('map entries that lack something, at which Envoy crashes', () => {
  test.each([
    ['b201030a0161', '{"labels":{"a":""}}'],
    ['b20103120161', '{"labels":{"":"a"}}'],
    ['b20100', '{"labels":{"":""}}'],
    ['ba0100', '{"byNumber":{"0":{}}}'],
    ['c20100', '{"byFlag":{"false":"0"}}'],
  ])('%s', (hex, json) => {
    expect(print(plain, hex)).toBe(json);
  });
});

test.each([
  ['ea010b08ffffffffffffffffff01', '{"at":"1969-12-31T23:59:59Z"}'],
  ['f2010d080110ffffffffffffffffff01', '502 nanos and seconds signs do not match'],
  ['f201061080a894ce07', '502 duration out of range'],
  ['ea0107088083d1ffaf07', '502 maximum acceptable time value is 9999-12-31T23:59:59Z'],
  ['820300', '{"values":[]}'],
  ['8a03050a01611200', '{"valueMap":{}}'],
  ['9202020a00', '{"list":[]}'],
  ['fa01060a04615f5f42', '{"mask":"a_B"}'],
  ['0a80808080808080808080', '502 invalid varint'],
  ['7affffffff0f', '502 unexpected EOF'],
])('%s', (hex, json) => {
  expect(print(plain, hex)).toBe(json);
});

test('messages within messages have a limit', () => {
  let hex = '';
  for (let i = 0; i < 120; i++) {
    const size = hex.length / 2;
    const length =
      size < 128 ? size.toString(16).padStart(2, '0') : `${((size & 127) | 128).toString(16)}0${size >> 7}`;
    hex = `1a${length}${hex}`;
  }
  const author = schema.message('test.library.Author')!;
  const printed = new MessagePrinter(schema, plain).print(author, Buffer.from(hex, 'hex'));
  expect(printed).toEqual({ error: 'allowed depth exceeded' });
});

test('every character is escaped as on Envoy 1.39.3', () => {
  const text = '<>&\'"\\/\b\f\n\r\t\v\u007f\u00a0\u00ad\u0604\u200b\u2028\u2065\ufeff\u{1d173}\u{e0020}😀é';
  const bytes = Buffer.from(text);
  const hex = `0a${bytes.length.toString(16).padStart(2, '0')}${bytes.toString('hex')}`;
  expect(print(plain, hex)).toBe(
    String.raw`{"text":"\u003c\u003e&'\"\\/\b\f\n\r\t\u000b\u007f${'\u00a0'}\u00ad${'\u0604'}\u200b\u2028${'\u2065'}\ufeff\ud834\udd73\udb40\udc20😀é"}`,
  );
});
