import { describe, expect, it } from 'vitest';
import { Verdict } from '../../../../src/filter/filter.ts';
import { onDemandBuilder } from '../../../../src/filter/on-demand/build.ts';
import type {
  ClusterLookups,
  ClusterWaiter,
  OnDemandData,
  RouteWaiter,
} from '../../../../src/filter/on-demand/on-demand-data.ts';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

class Lookups implements ClusterLookups {
  readonly asked: string[] = [];
  readonly cancelled: string[] = [];
  waiter: ClusterWaiter | null = null;
  private readonly answer: 'waiting' | 'refused';

  constructor(answer: 'waiting' | 'refused') {
    this.answer = answer;
  }

  want(odcds: { source: { key: string } }, name: string, waiter: ClusterWaiter): 'waiting' | 'refused' {
    this.asked.push(`${odcds.source.key} ${name}`);
    this.waiter = waiter;
    return this.answer;
  }

  cancel(name: string): void {
    this.cancelled.push(name);
  }
}

const from = (key: string): OnDemandData => ({ odcds: { source: { key }, timeoutMs: 5000 } });

interface Asked {
  readonly answer?: 'waiting' | 'refused';
  readonly missing?: string;
  readonly ofRoute?: OnDemandData;
}

function world({ answer = 'waiting', missing = 'c', ofRoute }: Asked) {
  const lookups = new Lookups(answer);
  const context = { ...filterContext(), onDemand: lookups };
  const filter = onDemandBuilder.build(from('filter'), context).create();
  const stream = new TestStream(context, request([]));
  Object.assign(stream, { missingCluster: missing, perFilterConfig: () => ofRoute });
  const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
  return { lookups, filter, stream, verdict };
}

describe('a request for a cluster that there is none of', () => {
  it('goes on where there is one', () => {
    const { lookups, verdict } = world({ missing: '' });
    expect([verdict, lookups.asked]).toEqual([Verdict.Continue, []]);
  });

  it('waits while it is asked for, as the filter says or as the route does', () => {
    const { lookups, verdict } = world({});
    expect([verdict, lookups.asked]).toEqual([Verdict.Stop, ['filter c']]);
    expect(world({ ofRoute: from('route') }).lookups.asked).toEqual(['route c']);
  });

  it('goes on where the route asks for none, or nobody can be asked', () => {
    const { lookups, verdict } = world({ ofRoute: { odcds: null } });
    expect([verdict, lookups.asked]).toEqual([Verdict.Continue, []]);
    expect(world({ answer: 'refused' }).verdict).toBe(Verdict.Continue);
  });

  it('is routed again when the cluster has come, and goes on without when it has not', () => {
    for (const isThere of [true, false]) {
      const { lookups, stream } = world({});
      let cleared = 0;
      let resumed = 0;
      Object.assign(stream, { clearRoute: () => cleared++, resumeRequest: () => resumed++ });
      lookups.waiter!.onCluster(isThere);
      expect([cleared, resumed]).toEqual([isThere ? 1 : 0, 1]);
    }
  });

  it('waits no more when it has ended', () => {
    const { lookups, filter, stream } = world({});
    filter.onComplete!(stream);
    filter.onComplete!(stream);
    lookups.waiter!.onCluster(true);
    expect(lookups.cancelled).toEqual(['c']);
  });

  it('finds none to ask where nobody is', () => {
    const context = filterContext();
    const stream = new TestStream(context, request([]));
    Object.assign(stream, {
      missingCluster: 'c',
      perFilterConfig: () => onDemandBuilder.buildPerRoute!(from('r'), context),
    });
    const filter = onDemandBuilder.build({ odcds: null }, context).create();
    expect(filter.onRequestHead!(stream, stream.requestHead, true)).toBe(Verdict.Continue);
  });
});

describe('a request without a route', () => {
  function unrouted({ isAsked = true, isAnew = true }) {
    const context = filterContext();
    const filter = onDemandBuilder.build({ odcds: null }, context).create();
    const stream = new TestStream(context, request([]));
    const events: string[] = [];
    let waiter: RouteWaiter | null = null;
    Object.assign(stream, {
      route: null,
      wantRoute: (who: RouteWaiter) => {
        waiter = who;
        return isAsked ? () => events.push('cancel') : null;
      },
      beginAnew: () => {
        events.push('anew');
        return isAnew;
      },
      resumeRequest: () => events.push('on'),
    });
    const verdict = filter.onRequestHead!(stream, stream.requestHead, true);
    return { filter, stream, events, verdict, answer: (isThere: boolean) => waiter!.onRoute(isThere) };
  }

  it('goes on where there is nothing to ask for', () => {
    expect(unrouted({ isAsked: false }).verdict).toBe(Verdict.Continue);
  });

  it('begins anew when there may be one, and goes on where it cannot or there is none', () => {
    for (const [isThere, isAnew, said] of [
      [true, true, ['anew']],
      [true, false, ['anew', 'on']],
      [false, true, ['on']],
    ] as const) {
      const { verdict, answer, events } = unrouted({ isAnew });
      expect(verdict).toBe(Verdict.Stop);
      answer(isThere);
      expect(events).toEqual(said);
    }
  });

  it('waits no more when it has ended', () => {
    const { filter, stream, answer, events } = unrouted({});
    filter.onComplete!(stream);
    answer(true);
    expect(events).toEqual(['cancel']);
  });
});
