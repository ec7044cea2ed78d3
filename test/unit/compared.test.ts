import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { comparedPage, comparedPath } from '../../tools/compared.ts';

test('docs/compared.md says what rows compare; after a change of rows or decoders, run: npm run docs', async () => {
  expect(readFileSync(comparedPath, 'utf8')).toBe(await comparedPage());
});
