import { describe, expect, it } from 'vitest';
import {
  TimerScale,
  type LoadShedPointName,
  type OverloadAction,
  type OverloadView,
  type ScaledTimerName,
} from '../../../../../src/core/overload-view.ts';
import { Verdict, type HttpFilter } from '../../../../../src/filter/filter.ts';
import { HttpOverload } from '../../../../../src/proxy/http/overload/http-overload.ts';
import type { H2ServerOptions } from '../../../../../src/codec/h2/options.ts';
import { preface } from '../../../../wire/h2-frames.ts';
import { bodyOf, fieldOf, HttpWorld, request, response, statusOf, type Setting } from '../world.ts';

const log = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';

/** Everything is configured; nothing is pressed unless a test says so. */
class Pressure implements OverloadView {
  readonly connectionsMax = 0;
  readonly states = new Map<string, { value: number }>();
  readonly shed: string[] = [];

  press(name: OverloadAction | LoadShedPointName, value = 1): this {
    this.state(name).value = value;
    return this;
  }

  action(name: OverloadAction) {
    return this.state(name);
  }

  shedPoint(name: LoadShedPointName) {
    return {
      shedsLoad: (): boolean => {
        if (this.state(name).value === 0) return false;
        this.shed.push(name);
        return true;
      },
    };
  }

  timer(_name: ScaledTimerName) {
    return new TimerScale(this.state('reduce_timeouts'), { kind: 'share', share: 0.1 });
  }

  private state(name: string): { value: number } {
    const known = this.states.get(name) ?? { value: 0 };
    this.states.set(name, known);
    return known;
  }
}

function open(setting: Setting = {}): { pressure: Pressure; world: HttpWorld } {
  const pressure = new Pressure();
  return { pressure, world: new HttpWorld({ log, overload: pressure, ...setting }) };
}

describe('requests', () => {
  it.each(['stop_accepting_requests', 'http_connection_manager_decode_headers'] as const)(
    'are turned away by %s, without filters and routes, and the connection stays',
    (name) => {
      let seen = 0;
      const filter: HttpFilter = {
        onRequestHead: () => (seen++, Verdict.Continue),
        onResponseHead: () => (seen++, Verdict.Continue),
        onComplete: () => void seen++,
      };
      const { pressure, world } = open({ filters: { filter } });
      pressure.press(name);
      const client = world.send(request());
      expect([statusOf(client.written), bodyOf(client.take())]).toEqual([503, 'envoy overloaded']);
      expect(world.logged).toEqual(['503 - overload']);
      expect(world.hcmStats).toMatchObject({ downstream_rq_overload_close: 1, downstream_rq_5xx: 1 });
      expect([seen, world.dials]).toEqual([0, 0]);
      pressure.press(name, 0);
      client.receive(request());
      world.upstream.receive(response());
      expect(statusOf(client.take())).toBe(200);
      expect(seen).toBe(3);
    },
  );

  it('say that it was this proxy where they are asked to', () => {
    const { pressure, world } = open({ hcm: { appendLocalOverload: true } });
    pressure.press('stop_accepting_requests');
    expect(fieldOf(world.send(request()).take(), 'x-envoy-local-overloaded')).toBe('true');
  });

  it('are turned away as often as the action says', () => {
    const { pressure, world } = open();
    // The test's chance is 0: below every share but none.
    pressure.press('stop_accepting_requests', 0.01);
    expect(statusOf(world.send(request()).take())).toBe(503);
  });

  it('http_downstream_filter_check: what would be forwarded is not', () => {
    const { pressure, world } = open();
    pressure.press('http_downstream_filter_check');
    const client = world.send(request());
    expect([statusOf(client.written), bodyOf(client.take())]).toEqual([503, 'envoy overloaded']);
    expect(world.hcmStats).toMatchObject({ rq_overload_local_reply: 1 });
    expect(world.dials).toBe(0);
  });
});

describe('connections', () => {
  it('disable_http_keepalive: the next answer is the last', () => {
    const { pressure, world } = open();
    const client = world.send(request());
    world.upstream.receive(response());
    expect(fieldOf(client.take(), 'connection')).toBeUndefined();
    pressure.press('disable_http_keepalive');
    client.receive(request());
    world.upstream.receive(response());
    expect(fieldOf(client.take(), 'connection')).toBe('close');
    expect(world.hcmStats).toMatchObject({
      downstream_cx_overload_disable_keepalive: 1,
      downstream_cx_drain_close: 1,
    });
  });

  it('hcm_ondata_creating_codec: who begins to talk is not listened to', () => {
    const { pressure, world } = open();
    pressure.press('hcm_ondata_creating_codec');
    const client = world.send(request());
    client.receive('more');
    expect([client.take(), client.isClosing]).toEqual(['', true]);
    expect(world.hcmStats).toMatchObject({ downstream_rq_overload_close: 1 });
    expect(pressure.shed).toHaveLength(1);
    expect(world.logged).toEqual([]);
  });

  it('http1_server_abort_dispatch: what comes is answered with 500, and the connection ends', () => {
    const { pressure, world } = open();
    pressure.press('http1_server_abort_dispatch');
    const client = world.send('GET / HT');
    client.receive('TP/1.1');
    expect([statusOf(client.written), bodyOf(client.take())]).toEqual([500, 'Internal Server Error']);
    expect(client.isClosing).toBe(true);
    expect(world.logged).toEqual(['500 DPE overload']);
    expect(world.hcmStats).toMatchObject({ downstream_rq_overload_close: 1 });
    expect(world.hcmStats).not.toHaveProperty('downstream_cx_protocol_error');
    expect(pressure.shed).toHaveLength(1);
  });

  it('http1_server_abort_dispatch: an answer that has begun is broken off', () => {
    const { pressure, world } = open();
    const client = world.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf');
    world.upstream.receive('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf');
    expect(statusOf(client.take())).toBe(200);
    pressure.press('http1_server_abort_dispatch');
    client.receive('12345');
    expect([client.take(), client.isClosing]).toEqual(['', true]);
    expect(world.hcmStats).toMatchObject({ downstream_rq_overload_close: 1 });
  });

  it('http2_server_go_away_on_dispatch: over HTTP/2 a GOAWAY, over HTTP/1 a last answer', () => {
    const { pressure, world } = open();
    pressure.press('http2_server_go_away_on_dispatch');
    const client = world.send(`${preface}\0\0\0\x04\0\0\0\0\0`);
    expect(frameTypes(client.take())).toContain(7);
    expect(client.isClosing).toBe(false);
    const older = world.send(request());
    world.upstream.receive(response());
    expect(fieldOf(older.take(), 'connection')).toBe('close');
  });

  it('http2_server_go_away_and_close_on_dispatch: and the connection ends at once', () => {
    const { pressure, world } = open();
    pressure.press('http2_server_go_away_and_close_on_dispatch');
    const client = world.send(`${preface}\0\0\0\x04\0\0\0\0\0`);
    expect(frameTypes(client.take()).filter((type) => type === 7)).toEqual([7, 7]);
    expect(client.isClosing).toBe(true);
    client.receive('\0\0\0\x04\0\0\0\0\0');
    expect(pressure.shed).toHaveLength(1);
    const older = world.send(request());
    expect([older.take(), older.isClosing]).toEqual(['', true]);
    expect(world.logged).toEqual([]);
  });
});

describe('reduce_timeouts', () => {
  it('streams that are open become impatient, and patient again', () => {
    const { pressure, world } = open({
      hcm: { streamIdleTimeout: '10s' },
      routes: '- { match: { prefix: / }, route: { cluster: c, timeout: 0s } }',
    });
    const first = world.send(request());
    const second = world.send(request());
    world.accept(0);
    world.accept(1);
    pressure.press('reduce_timeouts', 0.5);
    world.manager.overloadChanged();
    // Half of the way from 10 s to 1 s.
    world.advance(5400);
    expect([first.written, second.written]).toEqual(['', '']);
    pressure.press('reduce_timeouts', 0);
    world.manager.overloadChanged();
    world.advance(4500);
    expect(first.written).toBe('');
    pressure.press('reduce_timeouts', 1);
    world.manager.overloadChanged();
    world.advance(1);
    expect([statusOf(first.take()), statusOf(second.take())]).toEqual([504, 504]);
  });

  it('idle connections go earlier, and so do old ones', () => {
    const { pressure, world } = open({
      hcm: { commonHttpProtocolOptions: { idleTimeout: '10s', maxConnectionDuration: '100s' } },
    });
    pressure.press('reduce_timeouts', 1);
    const before = world.connect();
    world.advance(999);
    world.manager.overloadChanged();
    expect(world.hcmStats.downstream_cx_idle_timeout).toBeUndefined();
    world.advance(1);
    expect(world.hcmStats.downstream_cx_idle_timeout).toBe(1);
    expect(before.isClosing).toBe(true);
    const after = world.send(request());
    world.accept();
    world.advance(9999);
    expect(world.hcmStats.downstream_cx_max_duration_reached).toBeUndefined();
    world.advance(1);
    expect(world.hcmStats.downstream_cx_max_duration_reached).toBe(1);
    world.upstream.receive(response());
    expect(fieldOf(after.take(), 'connection')).toBe('close');
  });
});

it('responses that are flushed have the less time the more the process has to do', () => {
  const pressure = new Pressure();
  const options = new HttpOverload(pressure, Math.random).http2Options({ streamFlushMs: 1000 } as H2ServerOptions);
  expect(options.streamFlushMs).toBe(1000);
  pressure.press('reduce_timeouts', 0.5);
  expect(options.streamFlushMs).toBe(550);
});

it('where a listener bypasses it, nothing is asked', () => {
  const world = new HttpWorld({ log });
  world.send(request());
  world.manager.overloadChanged();
  world.upstream.receive(response());
  expect(world.logged).toEqual(['200 - via_upstream']);
});

/** The types of HTTP/2 frames, in order. */
function frameTypes(text: string): number[] {
  const bytes = Buffer.from(text, 'latin1');
  const types: number[] = [];
  for (let at = 0; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3)) types.push(bytes[at + 3]);
  return types;
}
