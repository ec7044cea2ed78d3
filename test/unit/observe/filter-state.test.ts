import { expect, test } from 'vitest';
import { FilterStateObject } from '../../../src/observe/filter-state.ts';
import { compileFormat, compileJsonFormat } from '../../../src/observe/format/format.ts';
import { Outcome } from '../../../src/observe/outcome.ts';

class Pair extends FilterStateObject {
  toPlain(): string {
    return 'a,b';
  }

  toJson(): unknown {
    return { b: '2', a: 1 };
  }
}

test('an object says itself what it is as text and as JSON, and has no fields', () => {
  const outcome = new Outcome();
  outcome.filterState = new Map([['k', new Pair()]]);
  const text = '%FILTER_STATE(k)% %FILTER_STATE(k:TYPED)% %FILTER_STATE(k:PLAIN)% %FILTER_STATE(k:FIELD:a)%';
  expect(compileFormat(text).format(outcome)).toBe('{"a":1,"b":"2"} {"a":1,"b":"2"} a,b -');
  const json = { typed: '%FILTER_STATE(k)%', plain: '%FILTER_STATE(k:PLAIN)%', field: '%FILTER_STATE(k:FIELD:a)%' };
  expect(JSON.parse(compileJsonFormat(json).format(outcome))).toEqual({
    typed: { a: 1, b: '2' },
    plain: 'a,b',
    field: null,
  });
});
