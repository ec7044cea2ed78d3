import { expect, it } from 'vitest';

import { loadExpressions } from '../../../../src/observe/expression/expressions.ts';
import { compileFormat, formatProblem } from '../../../../src/observe/format/format.ts';
import { Outcome } from '../../../../src/observe/outcome.ts';

it('is refused where no configuration has said that there are expressions', async () => {
  expect(formatProblem('%CEL(1)%')).toBe('CEL is supported by sekisho only in the configuration itself');
  await loadExpressions(null);
  expect(formatProblem('%CEL(1)%')).toBeNull();
  expect(
    compileFormat('%COALESCE({"operators":[{"command":"CEL","param":"nope"},{"command":"CEL","param":"2"}]})%').format(
      new Outcome(),
    ),
  ).toBe('2');
});
