import { describe, expect, it } from 'vitest';
import { ResponseFlag } from '../../../../src/core/failure.ts';
import { dynamicForwardProxyBuilder } from '../../../../src/filter/dynamic-forward-proxy/build.ts';
import type { HostRewriteData } from '../../../../src/filter/dynamic-forward-proxy/dynamic-forward-proxy-data.ts';
import { Verdict } from '../../../../src/filter/filter.ts';
import type { NameLookups, NameWaiter } from '../../../../src/filter/network/network-filter.ts';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

class Lookups implements NameLookups {
  readonly asked: string[] = [];
  readonly cancelled: string[] = [];
  waiter: NameWaiter | null = null;
  private readonly answer: ReturnType<NameLookups['want']>;

  constructor(answer: ReturnType<NameLookups['want']>) {
    this.answer = answer;
  }

  want(cache: { readonly name: string }, name: string, waiter: NameWaiter): ReturnType<NameLookups['want']> {
    this.asked.push(`${cache.name} ${name}`);
    this.waiter = waiter;
    return this.answer;
  }

  cancel(cache: string, name: string): void {
    this.cancelled.push(`${cache} ${name}`);
  }
}

interface Asked {
  readonly answer?: ReturnType<NameLookups['want']>;
  readonly authority?: string;
  readonly headers?: [string, string][];
  readonly port?: number;
  readonly rewrite?: HostRewriteData;
  /** Filter state, which counts if it is there. */
  readonly state?: Record<string, unknown>;
}

function world({ answer = 'cached', authority = 'A.test', headers = [], port = 80, rewrite, state }: Asked) {
  const lookups = new Lookups(answer);
  const context = { ...filterContext(), lookups };
  const followsState = state !== undefined;
  const data = { cache: { name: 'names', maxPending: 1 }, followsState };
  const filter = dynamicForwardProxyBuilder.build(data, context).create();
  const head = request(headers);
  head.authority = authority;
  const stream = new TestStream(context, head);
  if (state !== undefined) stream.outcome.filterState = new Map(Object.entries(state));
  Object.assign(stream, { namedHostsPort: port, perFilterConfig: () => rewrite });
  const verdict = filter.onRequestHead!(stream, head, true);
  return { lookups, filter, stream, head, verdict };
}

describe('a request to a cluster whose hosts are named', () => {
  it('goes on where the name is known', () => {
    const { lookups, verdict } = world({});
    expect([verdict, lookups.asked]).toEqual([Verdict.Continue, ['names a.test:80']]);
    expect(world({ authority: 'b.test:81', port: 443 }).lookups.asked).toEqual(['names b.test:81']);
  });

  it('waits until it is', () => {
    const { lookups, stream, filter, verdict } = world({ answer: 'waiting' });
    expect(verdict).toBe(Verdict.Stop);
    lookups.waiter!.onLookup('cached', '');
    expect(stream.replies).toEqual([]);
    filter.onComplete!(stream);
    expect(lookups.cancelled).toEqual([]);
  });

  it('is forgotten with its stream', () => {
    const { lookups, stream, filter } = world({ answer: 'waiting' });
    filter.onComplete!(stream);
    expect(lookups.cancelled).toEqual(['names a.test:80']);
    expect(() => lookups.waiter!.onLookup('full', '')).not.toThrow();
    expect(stream.replies).toEqual([]);
  });

  it('is answered where the name has no address', () => {
    const { lookups, stream } = world({ answer: 'waiting' });
    lookups.waiter!.onLookup('unresolved', 'cares_norecords:Domain name not found');
    expect(stream.replies).toEqual([
      {
        status: 503,
        body: 'DNS resolution failure',
        details: 'dns_resolution_failure{cares_norecords:Domain_name_not_found}',
        flags: ResponseFlag.DnsResolutionFailed,
      },
    ]);
  });

  it('is answered where there is no room', () => {
    const details = (list: readonly { details: string }[]): string[] => list.map((reply) => reply.details);
    expect(details(world({ answer: 'full' }).stream.replies)).toEqual([
      'dynamic_forward_proxy_pending_request_overflow',
    ]);
    const late = world({ answer: 'waiting' });
    late.lookups.waiter!.onLookup('full', '');
    expect(details(late.stream.replies)).toEqual(['dns_cache_overflow']);
  });

  it('needs a host', () => {
    expect(world({ authority: '' }).stream.replies).toMatchObject([{ status: 400, details: 'empty_host_header' }]);
  });

  it('has it rewritten by its route', () => {
    expect(world({ rewrite: { literal: 'b.test', header: '' } }).head.authority).toBe('b.test');
    const byHeader = { literal: '', header: 'x-where' };
    expect(world({ rewrite: byHeader, headers: [['x-where', 'c.test:1']] }).lookups.asked).toEqual(['names c.test:1']);
    expect(world({ rewrite: byHeader }).head.authority).toBe('A.test');
  });
});

it('may be told by filter state whom it wants', () => {
  const [host, port] = ['envoy.upstream.dynamic_host', 'envoy.upstream.dynamic_port'];
  const asked = (state: Record<string, unknown>): string => world({ state }).lookups.asked[0];
  expect(asked({})).toBe('names a.test:80');
  expect(asked({ [host]: 'b.test' })).toBe('names b.test:80');
  expect(asked({ [host]: 'b.test', [port]: '81' })).toBe('names b.test:81');
  expect(asked({ [port]: 82 })).toBe('names a.test:82');
});

it('leaves requests to other clusters alone', () => {
  const { lookups, verdict } = world({ port: 0 });
  expect([verdict, lookups.asked]).toEqual([Verdict.Continue, []]);
});

it('knows nobody without caches', () => {
  const { lookups: _, ...context } = { ...filterContext(), lookups: undefined };
  const filter = dynamicForwardProxyBuilder
    .build({ cache: { name: 'n', maxPending: 1 }, followsState: false }, context)
    .create();
  const stream = new TestStream(filterContext(), request([]));
  Object.assign(stream, { namedHostsPort: 80 });
  expect(filter.onRequestHead!(stream, stream.requestHead, true)).toBe(Verdict.Stop);
});
