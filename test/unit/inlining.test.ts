import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { inlineMore, usualInlining, withUsualInlining } from '../../src/inlining.ts';

test("V8's own limit is what is set for code that is kept", () => {
  const { stdout } = spawnSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(stdout).toContain(`--max-inlined-bytecode-size-cumulative=${usualInlining}`);
});

test('what is to be written is written, once', () => {
  inlineMore();
  let times = 0;
  withUsualInlining(() => times++);
  expect(times).toBe(1);
});
