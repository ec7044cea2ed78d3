import * as fc from './chance.ts';

/** Arbitraries for HTTP/1.1 on the wire. All strings are latin1. */

const tchar = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
const steering = /^(host|content-length|transfer-encoding|connection|upgrade|proxy-connection|te|http2-settings)$/;

export const fieldName = fc
  .oneof(
    fc.constantFrom('accept', 'user-agent', 'x-request-id', 'cookie', 'x-forwarded-for'),
    fc.string({ unit: fc.constantFrom(...tchar.split('')), minLength: 1, maxLength: 20 }),
  )
  .filter((name) => !steering.test(name));

/** Field values, without white space at their ends. */
export const fieldValue = fc
  .string({
    unit: fc
      .oneof(
        { weight: 20, arbitrary: fc.integer({ min: 0x20, max: 0x7e }) },
        { weight: 1, arbitrary: fc.constant(9) },
        { weight: 1, arbitrary: fc.integer({ min: 0x80, max: 0xff }) },
      )
      .map((code) => String.fromCharCode(code)),
    maxLength: 40,
  })
  .map((value) => value.replace(/^[ \t]+|[ \t]+$/g, ''));

export const fields = fc.array(fc.tuple(fieldName, fieldValue), { maxLength: 12 });

export const path = fc
  .string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 30 })
  .map((rest) => `/${rest}`);

export const body = fc.uint8Array({ maxLength: 200 });
export const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 60 }), { maxLength: 5 });

const lineEnd = fc.constantFrom('\r\n', '\r\n', '\r\n', '\n');

function fieldLines(pairs: readonly (readonly [string, string])[], end: string): string {
  return pairs.map(([name, value]) => `${name}: ${value}${end}`).join('');
}

function latin1Of(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function chunkedBody(parts: readonly Uint8Array[], trailers: readonly (readonly [string, string])[]): string {
  const data = parts.map((part) => `${part.length.toString(16)}\r\n${latin1Of(part)}\r\n`).join('');
  return `${data}0\r\n${fieldLines(trailers, '\r\n')}\r\n`;
}

const framed = fc.oneof(
  fc.constant({ fields: '', body: '' }),
  body.map((bytes) => ({ fields: `Content-Length: ${bytes.length}\r\n`, body: latin1Of(bytes) })),
  fc
    .tuple(chunks, fields)
    .map(([parts, trailers]) => ({ fields: 'Transfer-Encoding: chunked\r\n', body: chunkedBody(parts, trailers) })),
);

/** A valid request on the wire. */
export const request = fc
  .tuple(fc.constantFrom('GET', 'POST', 'PUT', 'OPTIONS'), path, fields, lineEnd, framed)
  .map(
    ([method, target, pairs, end, { fields: framing, body: content }]) =>
      `${method} ${target} HTTP/1.1${end}Host: a.test${end}${fieldLines(pairs, end)}${framing}\r\n${content}`,
  );

/** A valid response on the wire. */
export const response = fc
  .tuple(
    fc.integer({ min: 200, max: 599 }).filter((status) => status !== 204 && status !== 304),
    fields,
    framed,
  )
  .map(
    ([status, pairs, { fields: framing, body: content }]) =>
      `HTTP/1.1 ${status} X\r\n${fieldLines(pairs, '\r\n')}${framing}\r\n${content}`,
  );

/** Something that is nearly HTTP: a few bytes of a valid text replaced, removed or put in. */
export function spoilt(text: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const odd = fc.constantFrom(
    '\0',
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    ':',
    ',',
    ';',
    '\x0b',
    '\x7f',
    '\xff',
    '0',
    'f',
    'X',
  );
  const change = fc.tuple(fc.nat(400), fc.nat(3), odd);
  return fc.tuple(text, fc.array(change, { minLength: 1, maxLength: 3 })).map(([whole, changes]) => {
    let changed = whole;
    for (const [at, removed, added] of changes) {
      const index = at % (changed.length + 1);
      changed = changed.slice(0, index) + added + changed.slice(index + removed);
    }
    return changed;
  });
}

/** Places at which a text is cut. */
export const cuts = fc.array(fc.nat(600), { maxLength: 12 });

export function pieces(text: string, at: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const parts: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) parts.push(Buffer.from(bytes.subarray(from, place)));
    from = place;
  }
  return parts;
}
