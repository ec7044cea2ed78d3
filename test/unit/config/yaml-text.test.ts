import { describe, expect, it } from 'vitest';
import { TextError, eventsOf, plainJson, plainYaml, valueOf } from '../../../src/config/yaml-text.ts';

function read(text: string): unknown {
  return valueOf(text, eventsOf(text), plainYaml);
}

describe('plainYaml', () => {
  it.each([
    ['', null],
    ['~', null],
    ['Null', null],
    ['nULL', 'nULL'],
    ['y', true],
    ['Off', false],
    ['oFF', 'oFF'],
    ['0', 0],
    ['-0', 0],
    ['+5', 5],
    ['010', 8],
    ['08', '08'],
    ['0x1F', 31],
    ['-0x10', -16],
    ['0o7', '0o7'],
    ['2147483647', 2147483647],
    ['2147483648', '2147483648'],
    ['-2147483649', '-2147483649'],
    ['0xffffffff', '4294967295'],
    ['99999999999999999999', '99999999999999999999'],
    ['1.5', '1.5'],
    ['1_000', '1_000'],
    ['.inf', '.inf'],
    ['2020-01-01', '2020-01-01'],
  ])('%s', (text, value) => {
    expect(plainYaml(text)).toEqual(value === 0 ? expect.closeTo(0) : value);
  });
});

describe('valueOf', () => {
  it('leaves what is quoted or in a block as text', () => {
    expect(read('a: "5"\nb: \'on\'\nc: |\n  5\nd: ! 5')).toEqual({ a: '5', b: 'on', c: '5\n', d: '5' });
  });

  it('reads the first document only', () => {
    expect(read('a: 1\n---\nb: 2')).toEqual({ a: 1 });
  });

  it('keeps a key named __proto__ to itself', () => {
    const value = read('__proto__: {a: 1}') as object;
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  });

  it('drops ignored keys, and shares what an alias names', () => {
    const value = read('!ignore base: &b {x: 1}\na: *b\nb: *b') as Record<string, unknown>;
    expect(value).toEqual({ a: { x: 1 }, b: { x: 1 } });
    expect(value['a']).toBe(value['b']);
  });

  it.each(['a: *nobody', '[a]: 1', '{a: b}: 1', '&a [1]: 2', '? *x\n: 1'])('refuses %s', (text) => {
    expect(() => read(text)).toThrow(TextError);
  });

  it('refuses a text that is nested too deeply, without an end of the stack', () => {
    expect(() => read('['.repeat(100_000))).toThrow(TextError);
  });
});

describe('plainJson', () => {
  it('takes literals and numbers only', () => {
    expect(plainJson('1.5e3', 0)).toBe(1500);
    expect(plainJson('18446744073709551615', 0)).toBe('18446744073709551615');
    expect(() => plainJson('yes', 7)).toThrow(expect.objectContaining({ offset: 7 }));
    expect(() => plainJson('010', 0)).toThrow(TextError);
  });
});
