/** docs/differences.md is complete, and every difference on it is held by a test. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { groups } from '../peers/all-rows.ts';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/differences.md'), 'utf8');

test('every difference names tests that are there', () => {
  const wrong: string[] = [];
  for (const section of page.split(/^### /m).slice(1)) {
    const title = section.slice(0, section.indexOf('\n'));
    const [, held] = /^Held by: (.*)$/m.exec(section) ?? [];
    const files = [...(held ?? '').matchAll(/\]\(\.\.\/(test\/[^)]+\.test\.ts)\)/g)].map(([, file]) => file);
    if (files.length === 0) wrong.push(`${title}: no test`);
    wrong.push(...files.filter((file) => !existsSync(join(root, file))).map((file) => `${title}: no file ${file}`));
  }
  expect(wrong).toEqual([]);
});

test('every difference that the peers’ table accepts is on the page', () => {
  const reasons = new Set(groups.flatMap(({ rows }) => rows.flatMap(({ differs }) => Object.values(differs ?? {}))));
  expect(reasons.size).toBeGreaterThan(0);
  expect([...reasons].filter((reason) => !page.includes(reason))).toEqual([]);
});
