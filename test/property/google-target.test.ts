import { describe, expect, test } from 'vitest';
import { parseGoogleTarget } from '../../src/identity/decode/google-target.ts';
import * as fc from './chance.ts';

const scheme = fc.constantFrom('', 'dns:', 'dns:///', 'ipv4:', 'ipv6:', 'unix:', 'unix:///', 'xds:///', 'x:');

describe('names of servers', () => {
  test('any text is a target, or a sentence says why it is none', () => {
    fc.assert(
      fc.property(scheme, fc.string({ unit: 'binary' }), (start, rest) => {
        const target = parseGoogleTarget(start + rest);
        if (typeof target === 'string') expect(target).not.toBe('');
        else {
          expect(target.servers.length).toBeGreaterThan(0);
          for (const { host, port } of target.servers) {
            expect(host).not.toBe('');
            expect(port >= 0 && port <= 65_535).toBe(true);
          }
        }
      }),
    );
  });

  test('an address and its port come out as they went in', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 0, max: 65_535 }), (host, port) => {
        for (const start of ['', 'dns:', 'dns:///', 'ipv4:'])
          expect(parseGoogleTarget(`${start}${host}:${port}`)).toMatchObject({
            kind: 'static',
            servers: [{ host, port }],
          });
      }),
    );
  });
});
