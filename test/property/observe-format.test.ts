import { describe, expect, it } from 'vitest';

import { escapeJson, toBytes } from '../../src/observe/format/byte-string.ts';
import { compileFormat, compileJsonFormat, formatProblem } from '../../src/observe/format/format.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import * as fc from './chance.ts';

const fromBytes = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');

describe('formats', () => {
  it('text without operators prints as its UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const format = text.replaceAll('%', '%%');
        expect(fromBytes(compileFormat(format).format(new Outcome()))).toBe(text.toWellFormed());
      }),
    );
  });

  it('a JSON line is JSON, whatever the values are', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.string({ unit: 'binary' })),
        fc.string({ unit: 'grapheme' }),
        (template, name) => {
          const outcome = new Outcome();
          outcome.routeName = name;
          const escaped = Object.fromEntries(
            Object.entries(template).map(([key, text]) => [key, text.replaceAll('%', '%%')]),
          );
          const line = compileJsonFormat({ ...escaped, route: '%ROUTE_NAME%' }).format(outcome);
          const parsed = JSON.parse(fromBytes(line)) as Record<string, unknown>;
          expect(parsed['route']).toBe(name === '' ? null : name.toWellFormed());
        },
      ),
    );
  });

  it('any bytes make a JSON string', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (raw) => {
        const bytes = Buffer.from(raw).toString('latin1');
        const decoded: unknown = JSON.parse(fromBytes(`"${escapeJson(bytes)}"`));
        // UTF-8 comes back as text, anything else byte by byte.
        expect([bytes, fromBytes(bytes)]).toContain(decoded);
      }),
    );
  });

  it('a format either compiles or is refused with a reason', () => {
    const piece = fc.constantFrom('%', 'REQ', '(', ')', ':', '3', '?', 'a', 'PROTOCOL', 'START_TIME', '%n', '\n', 'é');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const format = pieces.join('');
        if (formatProblem(format) === null) expect(typeof compileFormat(format).format(new Outcome())).toBe('string');
        else expect(() => compileFormat(format)).toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('bytes of ASCII are the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii' }), (text) => {
        expect(toBytes(text)).toBe(text);
      }),
    );
  });
});
