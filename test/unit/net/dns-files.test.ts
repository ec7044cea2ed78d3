import { describe, expect, it } from 'vitest';
import { parseHostsFile, parseResolvConf, searchNames } from '../../../src/net/dns-files.ts';

describe('hosts file', () => {
  it('gathers every address of a name, in order', () => {
    const hosts = parseHostsFile('# all\n127.0.0.1\tlocalhost lo\n::1 LOCALHOST # six\nnonsense localhost\n\n');
    expect(hosts.get('localhost')).toEqual(['127.0.0.1', '::1']);
    expect(hosts.get('lo')).toEqual(['127.0.0.1']);
    expect(hosts.size).toBe(2);
  });
});

describe('resolv.conf', () => {
  it('has defaults', () => {
    expect(parseResolvConf('')).toEqual({ search: [], ndots: 1 });
  });

  it('lets the last of search and domain win, and bounds ndots', () => {
    expect(parseResolvConf('search a b\ndomain c\noptions rotate ndots:99\n; search d')).toEqual({
      search: ['c'],
      ndots: 15,
    });
  });
});

describe('search names', () => {
  it.each([
    ['web', ['web.ns.test', 'web.test', 'web']],
    ['web.other', ['web.other.ns.test', 'web.other.test', 'web.other']],
    ['a.b.c', ['a.b.c', 'a.b.c.ns.test', 'a.b.c.test']],
    ['web.', ['web']],
  ])('of %s', (name, names) => {
    expect(searchNames(name, ['ns.test', 'test'], 2)).toEqual(names);
  });
});
