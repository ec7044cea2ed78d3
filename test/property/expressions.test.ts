import { beforeAll, expect, test } from 'vitest';

import { ExpressionError } from '../../src/observe/expression/expression-check.ts';
import { expressionEngine, loadExpressions } from '../../src/observe/expression/expressions.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import * as fc from './chance.ts';

const words = (
  'request response connection source metadata filter_state xds headers path code . [ ] ( ) { } , : ? ! - + * / % == != ' +
  "< >= && || in size has matches duration int string true null 1 2u 1.5 'a' b'a' '[' .all(x,x) timestamp '' " +
  "9223372036854775807 '\\u00e9' .startsWith type dyn"
).split(' ');

beforeAll(() => loadExpressions(null));

test('any text is refused or evaluated, and nothing else happens', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...words), { maxLength: 12 }), (parts) => {
      const engine = expressionEngine();
      let data;
      try {
        data = engine.parse(parts.join(' '));
      } catch (error) {
        expect(error).toBeInstanceOf(ExpressionError);
        return;
      }
      const expression = engine.build(structuredClone(data), false);
      expect(typeof expression.matches(new Outcome())).toBe('boolean');
      const text = expression.text(new Outcome());
      expect(text === null || typeof text === 'string').toBe(true);
      expect(() => expression.json(new Outcome())).not.toThrow();
    }),
  );
});
