import { expect, test } from 'vitest';
import { mergeSlashes, normalizePath, unescapeSlashes } from '../../src/proxy/http/request/path.ts';
import * as fc from './chance.ts';

const piece = fc.constantFrom(
  ...'/ / . .. a b.c %2e %2E%2e %2f %5C \\ ; %25 %61 %7E ~ { " ? = %3f %zz % %2'.split(' '),
);
const path = fc.array(piece, { maxLength: 14 }).map((pieces) => `/${pieces.join('')}`);
const withoutQuery = (text: string) => text.split('?')[0];

test('a normalised path has no dot segments and stays normalised', () => {
  fc.assert(
    fc.property(path, (text) => {
      const normalized = normalizePath(text);
      if (normalized === null) return;
      expect(normalized.startsWith('/')).toBe(true);
      expect(withoutQuery(normalized).split('/')).not.toContain('.');
      expect(withoutQuery(normalized).split('/')).not.toContain('..');
      expect(withoutQuery(normalized)).not.toMatch(/\\/);
      // Parameters of a dot segment may hide behind an escape that the first pass decodes.
      if (!withoutQuery(normalized).includes(';')) expect(normalizePath(normalized)).toBe(normalized);
    }),
  );
});

test('the query stays as it is', () => {
  fc.assert(
    fc.property(path, path, (text, query) => {
      const target = `${withoutQuery(text)}?${query}`;
      for (const change of [normalizePath, mergeSlashes, unescapeSlashes])
        expect(change(target)?.endsWith(`?${query}`) ?? true).toBe(true);
    }),
  );
});

test('merging slashes twice is merging them once', () => {
  fc.assert(
    fc.property(path, (text) => {
      const merged = mergeSlashes(text);
      expect(mergeSlashes(merged)).toBe(merged);
      // A path of slashes alone keeps two, as in Envoy.
      if (!/^\/+$/.test(withoutQuery(text))) expect(withoutQuery(merged)).not.toContain('//');
    }),
  );
});

test('no escaped slash survives unescaping', () => {
  fc.assert(
    fc.property(path, (text) => {
      expect(withoutQuery(unescapeSlashes(text)).length).toBeLessThanOrEqual(withoutQuery(text).length);
      expect(withoutQuery(text).replace(/%2f/gi, '/').replace(/%5c/gi, '\\')).toBe(withoutQuery(unescapeSlashes(text)));
    }),
  );
});
