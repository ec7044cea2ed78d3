import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';

const folder = mkdtempSync(join(tmpdir(), 'sekisho-document-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('readConfig', () => {
  it('reads a file by its name', () => {
    const yaml = join(folder, 'a.yaml');
    writeFileSync(yaml, '\uFEFFnode: {id: 1.5}');
    expect(readConfig({ path: yaml }).value).toEqual({ node: { id: '1.5' } });
    const json = join(folder, 'a.json');
    writeFileSync(json, '{"node": {"id": 1.5, "n": 12345678901234567890}}');
    expect(readConfig({ path: json }).value).toEqual({ node: { id: 1.5, n: '12345678901234567890' } });
  });

  it('says why a file cannot be read', () => {
    expect(readConfig({ path: join(folder, 'no.yaml') }).reasons[0].message).toMatch(/does not exist/);
    expect(readConfig({ path: folder }).reasons[0].message).toMatch(/is a directory/);
  });

  it('takes JSON under any name, and YAML', () => {
    expect(readConfig({ path: 'envoy.conf', text: ' {"a": "on"}' }).value).toEqual({ a: 'on' });
    expect(readConfig({ path: 'envoy.conf', text: 'a: on' }).value).toEqual({ a: true });
  });

  it('is only the override when there is no file', () => {
    expect(readConfig({ overrideYaml: 'node: {}' })).toMatchObject({ path: '--config-yaml', value: { node: {} } });
  });

  it.each([
    ['a.yaml', 'a: [', 4],
    ['a.json', '{"a": tru}', 6],
    ['a.json', '{"a": 1', 7],
  ])('places the error of %s %s', (path, text, offset) => {
    expect(readConfig({ path, text }).reasons[0].offset).toBe(offset);
  });
});
