import { describe, expect, it } from 'vitest';
import { NameTable } from '../../../src/core/name-table.ts';

function tableOf(made: string[] = []): NameTable<string> {
  return new NameTable([['host', 'known host']], (name) => {
    made.push(name);
    return `made of ${name}`;
  });
}

describe('NameTable', () => {
  it('gives what belongs to a name, in any order', () => {
    const table = tableOf();
    const sections = [['host', 'accept'], ['accept', 'host'], ['accept', 'accept', 'via', 'host'], [], ['host']];
    for (const section of sections) {
      table.begin();
      const found = section.map((name) => table.get(name));
      expect(found).toEqual(section.map((name) => (name === 'host' ? 'known host' : `made of ${name}`)));
    }
  });

  it('makes what belongs to a name once', () => {
    const made: string[] = [];
    const table = tableOf(made);
    for (let i = 0; i < 3; i++) for (const name of ['a', 'b', 'host', 'a']) table.get(name);
    expect(made).toEqual(['', 'a', 'b']);
  });

  it('knows an empty name from no name', () => {
    const table = tableOf();
    expect(table.get('')).toBe('made of ');
    expect(table.get('host')).toBe('known host');
  });

  it('answers for more names than it remembers', () => {
    const table = tableOf();
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 3000; i++) expect(table.get(`name-${i}`)).toBe(`made of name-${i}`);
  });
});
