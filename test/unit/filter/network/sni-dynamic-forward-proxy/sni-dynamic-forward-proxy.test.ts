import { expect, test } from 'vitest';
import {
  NetworkVerdict,
  type FilteredStream,
  type NameLookups,
  type NameWaiter,
} from '../../../../../src/filter/network/network-filter.ts';
import { sniProxyBuilder } from '../../../../../src/filter/network/sni-dynamic-forward-proxy/build.ts';
import { TestFilteredStream } from '../filtered-stream.ts';

class Lookups implements NameLookups {
  answer: 'cached' | 'waiting' | 'full' = 'cached';
  readonly asked: string[] = [];
  waiter: NameWaiter | null = null;

  want(_cache: unknown, name: string, waiter: NameWaiter): 'cached' | 'waiting' | 'full' {
    this.asked.push(name);
    if (this.answer === 'waiting') this.waiter = waiter;
    return this.answer;
  }

  cancel(): void {
    this.waiter = null;
  }
}

class Stream extends TestFilteredStream {
  override readonly peer: FilteredStream['peer'];

  constructor(serverName: string) {
    super();
    this.peer = { serverName } as FilteredStream['peer'];
  }
}

function world(serverName: string, answer: Lookups['answer'] = 'cached') {
  const lookups = new Lookups();
  lookups.answer = answer;
  const data = { cache: { name: 'names', maxPending: 1 }, port: 8443 };
  const filter = sniProxyBuilder.build(data, { lookups } as never).create();
  return { lookups, filter, stream: new Stream(serverName) };
}

test('a name is looked up with the port that is configured, which tcp_proxy learns', () => {
  const { filter, stream, lookups } = world('A.test');
  expect(filter.onNewConnection!(stream)).toBe(NetworkVerdict.Continue);
  expect(lookups.asked).toEqual(['a.test:8443']);
  expect(stream.notes.filterState.get('envoy.upstream.dynamic_port')).toBe(8443);
});

test('filter state goes before the name and the port', () => {
  const { filter, stream, lookups } = world('a.test');
  stream.notes.filterState.set('envoy.upstream.dynamic_host', 'b.test');
  stream.notes.filterState.set('envoy.upstream.dynamic_port', 99);
  filter.onNewConnection!(stream);
  expect(lookups.asked).toEqual(['b.test:99']);
});

test('without a name there is nothing to look up', () => {
  const { filter, stream, lookups } = world('');
  expect(filter.onNewConnection!(stream)).toBe(NetworkVerdict.Continue);
  expect(lookups.asked).toEqual([]);
});

test('who waits goes on with the answer, and is closed when there is no room', () => {
  const waiting = world('a.test', 'waiting');
  expect(waiting.filter.onNewConnection!(waiting.stream)).toBe(NetworkVerdict.Stop);
  waiting.lookups.waiter!.onLookup('cached', '');
  expect(waiting.stream.heard).toEqual(['pause', 'resume', 'proceed']);
  const late = world('a.test', 'waiting');
  late.filter.onNewConnection!(late.stream);
  late.lookups.waiter!.onLookup('full', '');
  expect(late.stream.heard).toEqual(['pause', 'resume', 'close dynamic_forward_proxy_overflow']);
  const full = world('a.test', 'full');
  expect(full.filter.onNewConnection!(full.stream)).toBe(NetworkVerdict.Stop);
  expect(full.stream.heard).toEqual(['close dynamic_forward_proxy_overflow']);
});

test('who has gone waits no more', () => {
  const { filter, stream, lookups } = world('a.test', 'waiting');
  filter.onNewConnection!(stream);
  const { waiter } = lookups;
  filter.onClosed!(stream);
  expect(lookups.waiter).toBeNull();
  waiter!.onLookup('cached', '');
  expect(stream.heard).toEqual(['pause']);
  filter.onClosed!(stream);
});
