import { expect, test } from 'vitest';
import { readConfig } from '../../src/config/document.ts';
import { place } from '../../src/config/place.ts';
import { decodeRouteCases } from '../../src/cli/route-test/route-case-decode.ts';
import { Reasons } from '../../src/core/rejection.ts';
import * as fc from './chance.ts';

const names = [
  'tests',
  'test_name',
  'input',
  'validate',
  'authority',
  'path',
  'method',
  'random_value',
  'additional_request_headers',
  'dynamic_metadata',
  'metadata_namespace',
  'cluster_name',
  'timeout',
  'request_header_matches',
  'string_match',
  'name',
];

const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 4 }),
  ),
}));

test('whatever a tests file says, it is read or refused, each reason at its place', () => {
  fc.assert(
    fc.property(value, (tests) => {
      const text = JSON.stringify({ tests });
      const document = readConfig({ path: 'tests.json', text });
      const reasons = new Reasons();
      const { cases } = decodeRouteCases(document, reasons);
      if (reasons.isEmpty) expect(cases.length).toBeGreaterThan(0);
      for (const { line, column } of place(reasons.list, document)) {
        expect(line).toBe(1);
        expect(column).toBeGreaterThan(0);
        expect(column).toBeLessThanOrEqual(text.length);
      }
    }),
  );
});
