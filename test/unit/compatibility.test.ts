import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compatibilityPage, pagePath } from '../../tools/compatibility.ts';

test('docs/compatibility.md says what the decoders do; after a change of them, run: npm run docs', async () => {
  expect(readFileSync(pagePath, 'utf8')).toBe(await compatibilityPage());
});
