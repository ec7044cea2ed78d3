import { describe, expect, test } from 'vitest';
import { Verdict, type FilterFactory, type HttpFilter } from '../../../../../src/filter/filter.ts';
import { HttpFilterChain } from '../../../../../src/proxy/http/stream/filter-chain.ts';
import { Witness } from '../witness.ts';
import { HttpWorld, request, response, statusOf } from '../world.ts';

const shared = (filter: HttpFilter): FilterFactory => ({ create: () => filter });
const pass = (): Verdict => Verdict.Continue;

describe('a compiled chain', () => {
  const chain = new HttpFilterChain([
    { name: 'a', factory: shared({ onRequestHead: pass, onResponseHead: pass, onComplete: () => {} }) },
    { name: 'b', factory: shared({ onRequestData: pass, onResponseData: pass }) },
    { name: 'c', factory: shared({ onRequestHead: pass, onResponseHead: pass, onResponseTrailers: pass }) },
  ]);

  test('knows who has which hook, by rank in running order', () => {
    expect(chain.names).toEqual(['a', 'b', 'c']);
    expect(chain.requestHead).toEqual([0, 2]);
    expect(chain.requestData).toEqual([1]);
    expect(chain.requestTrailers).toEqual([]);
    // The last filter is the first to see a response.
    expect(chain.responseHead).toEqual([0, 2]);
    expect(chain.responseData).toEqual([1]);
    expect(chain.responseTrailers).toEqual([0]);
    expect(chain.complete).toEqual([0]);
  });

  test('of filters without state is one list for all streams', () => {
    expect(chain.instantiate()).toBe(chain.instantiate());
  });

  test('with one that has state makes all anew', () => {
    const stateless: HttpFilter = { onRequestHead: pass };
    const mixed = new HttpFilterChain([
      { name: 'a', factory: shared(stateless) },
      { name: 'b', factory: { create: () => ({ onRequestHead: pass }) } },
    ]);
    const [first, second] = [mixed.instantiate(), mixed.instantiate()];
    expect(first[0]).toBe(stateless);
    expect(second[0]).toBe(stateless);
    expect(first[1]).not.toBe(second[1]);
  });

  test('of nothing', () => {
    expect(new HttpFilterChain([]).instantiate()).toEqual([]);
  });
});

describe('filters', () => {
  test('run in configured order for requests and backwards for responses', () => {
    const story: string[] = [];
    const world = new HttpWorld({ filters: { a: new Witness('a', story), b: new Witness('b', story) } });
    const client = world.send(request('POST /', [], 'x'));
    world.accept().receive(response());
    expect(statusOf(client.take())).toBe(200);
    expect(story.join(', ')).toBe(
      'a request, b request, a request data, b request data, ' +
        'b response 200, a response 200, b response data, a response data, a complete, b complete',
    );
  });

  test('see the answers of the router’s own', () => {
    const story: string[] = [];
    const world = new HttpWorld({ clusters: {}, filters: { a: new Witness('a', story) } });
    world.send(request());
    expect(story).toEqual(['a request', 'a response 503', 'a complete']);
  });

  test('are one per stream where their factory makes one', () => {
    const story: string[] = [];
    let made = 0;
    const world = new HttpWorld({ clusters: {}, filters: { a: () => new Witness(`a${made++}`, story) } });
    const client = world.send(request());
    client.receive(request());
    const streams = story.filter((line) => line.endsWith('request'));
    expect(new Set(streams).size).toBe(2);
  });

  test('are off where the route says so', () => {
    const story: string[] = [];
    const off = '{ a: { "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: true } }';
    const world = new HttpWorld({
      clusters: {},
      filters: { a: new Witness('a', story), b: new Witness('b', story) },
      routes: `
- { match: { prefix: /off }, route: { cluster: c }, typed_per_filter_config: ${off} }
- { match: { prefix: / }, route: { cluster: c } }`,
    });
    const client = world.send(request('GET /off'));
    expect(story).toEqual(['b request', 'b response 503', 'a complete', 'b complete']);
    story.length = 0;
    client.receive(request('GET /on'));
    expect(story).toEqual(['a request', 'b request', 'b response 503', 'a response 503', 'a complete', 'b complete']);
  });

  test('that are off are switched on by a route', () => {
    const story: string[] = [];
    const on =
      '{ a: { "@type": type.googleapis.com/envoy.config.route.v3.FilterConfig, disabled: false, config: {} } }';
    const world = new HttpWorld({
      clusters: {},
      disabled: ['a'],
      filters: { a: new Witness('a', story) },
      routes: `
- { match: { prefix: /on }, route: { cluster: c }, typed_per_filter_config: ${on} }
- { match: { prefix: / }, route: { cluster: c } }`,
    });
    const client = world.send(request('GET /'));
    expect(story).not.toContain('a request');
    client.receive(request('GET /on'));
    expect(story).toContain('a request');
  });

  test('may choose another route', () => {
    const filter: HttpFilter = {
      onRequestHead(stream, head) {
        head.path = '/other';
        stream.clearRoute();
        return Verdict.Continue;
      },
    };
    const world = new HttpWorld({
      log: '%RESPONSE_CODE% %UPSTREAM_CLUSTER%',
      filters: { a: filter },
      clusters: { c: {}, d: {} },
      routes: `
- { match: { prefix: /other }, route: { cluster: d } }
- { match: { prefix: / }, route: { cluster: c } }`,
    });
    world.send(request('GET /first'));
    expect(world.upstream.take()).toMatch(/^GET \/other /);
    world.upstream.receive(response());
    expect(world.logged).toEqual(['200 d']);
  });
});
