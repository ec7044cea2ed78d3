import { expect, it } from 'vitest';
import type { AcceptedConnection } from '../../../src/core/connection.ts';
import type { OverloadView } from '../../../src/core/overload-view.ts';
import { TimerScale } from '../../../src/core/overload-view.ts';
import { Admission } from '../../../src/listener/admission.ts';
import { ProcessConnections } from '../../../src/listener/process-connections.ts';
import { OwnCount } from '../../../src/observe/limit/shared-limit.ts';
import { RuntimeValues } from '../../../src/control/runtime-view.ts';
import { runtimeOf } from '../cluster/cluster-fixture.ts';
import { RecordingStats } from '../cluster/recording-stats.ts';

/** A listener's door, and how overloaded the process is. */
class Bench {
  readonly stats = new RecordingStats();
  readonly count = new OwnCount();
  readonly destroyed: number[] = [];
  readonly paused = new Set<number>();
  readonly state = { stops: 0, rejects: 0, sheds: false, timers: 0 };
  drawn = 0.5;
  readonly admission: Admission;

  constructor({ max = -1, ignoresLimit = false, backlog = -1, isBypassed = false, isMonitored = false } = {}) {
    const { state } = this;
    const overload: OverloadView = {
      connectionsMax: 0,
      action(name) {
        if (name === 'stop_accepting_connections')
          return {
            get value() {
              return state.stops;
            },
          };
        return name === 'reject_incoming_connections'
          ? {
              get value() {
                return state.rejects;
              },
            }
          : null;
      },
      shedPoint: (name) => (name === 'tcp_listener_accept' ? { shedsLoad: () => state.sheds } : null),
      timer: (name) =>
        name === 'TRANSPORT_SOCKET_CONNECT' ? new TimerScale({ value: 1 }, { kind: 'ms', ms: 5 }) : null,
    };
    const runtime = new RuntimeValues(
      runtimeOf(max < 0 ? {} : { 'overload.global_downstream_max_connections': String(max) }),
    );
    const monitored = isMonitored ? { max: 0, refused: this.stats.counter('failed_updates') } : null;
    this.admission = new Admission({
      scope: this.stats,
      limit: new ProcessConnections(this.count, monitored, runtime),
      ignoresLimit,
      overload: isBypassed ? null : overload,
      backlog,
      random: () => this.drawn,
    });
  }

  connection(id: number): AcceptedConnection {
    return {
      id,
      destroy: () => this.destroyed.push(id),
      pause: () => this.paused.add(id),
      resume: () => this.paused.delete(id),
    } as unknown as AcceptedConnection;
  }

  come(...ids: number[]): boolean[] {
    return ids.map((id) => this.admission.admits(this.connection(id)));
  }

  get rest(): number[] {
    const ids: number[] = [];
    for (let next = this.admission.next(); next !== null; next = this.admission.next()) ids.push(next.id);
    return ids;
  }
}

it('lets everybody in where nothing is pressed, and counts', () => {
  const bench = new Bench();
  expect(bench.come(1, 2)).toEqual([true, true]);
  bench.admission.left();
  expect(bench.count.load()).toBe(1);
});

it('global_downstream_max_connections: who comes beyond it is closed', () => {
  const bench = new Bench({ max: 1 });
  expect(bench.come(1, 2)).toEqual([true, false]);
  expect(bench.destroyed).toEqual([2]);
  expect(bench.stats.read('')).toEqual({ downstream_global_cx_overflow: 1 });
  bench.admission.left();
  expect(bench.come(3)).toEqual([true]);
});

it('ignore_global_conn_limit, and who is handed over by another listener', () => {
  expect(new Bench({ max: 0, ignoresLimit: true }).come(1)).toEqual([true]);
  const bench = new Bench({ max: 0 });
  bench.admission.adopted();
  expect(bench.count.load()).toBe(1);
});

it('who ignores the limit of the monitor does not count towards it', () => {
  const bench = new Bench({ isMonitored: true, ignoresLimit: true });
  expect([bench.come(1), bench.count.load()]).toEqual([[true], 0]);
  bench.admission.left();
  expect(bench.count.load()).toBe(0);
  expect(new Bench({ isMonitored: true }).come(1)).toEqual([false]);
});

it('reject_incoming_connections, as often as it says, and tcp_listener_accept', () => {
  const bench = new Bench();
  bench.state.rejects = 0.6;
  bench.drawn = 0.7;
  expect(bench.come(1)).toEqual([true]);
  bench.drawn = 0.5;
  expect(bench.come(2)).toEqual([false]);
  bench.state.rejects = 0;
  bench.state.sheds = true;
  expect(bench.come(3)).toEqual([false]);
  expect(bench.destroyed).toEqual([2, 3]);
  expect(bench.stats.read('')).toEqual({ downstream_cx_overload_reject: 2 });
  // Whoever was not let in holds no place.
  expect(bench.count.load()).toBe(1);
});

it('stop_accepting_connections: they wait, and come in the order in which they came', () => {
  const bench = new Bench();
  bench.state.stops = 1;
  expect(bench.come(1, 2)).toEqual([false, false]);
  expect([bench.rest, bench.count.load(), [...bench.paused]]).toEqual([[], 0, [1, 2]]);
  bench.state.stops = 0;
  expect([bench.rest, bench.paused.size]).toEqual([[1, 2], 0]);
  expect(bench.destroyed).toEqual([]);
});

it('stop_accepting_connections: no more wait than tcp_backlog_size says, 4096 where it says nothing', () => {
  for (const [backlog, most] of [
    [3, 3],
    [-1, 4096],
  ]) {
    const bench = new Bench({ backlog });
    bench.state.stops = 1;
    for (let id = 0; id < most + 2; id++) bench.come(id);
    expect(bench.destroyed).toEqual([most, most + 1]);
    expect(bench.stats.read('')).toEqual({ downstream_cx_overload_reject: 2 });
  }
});

it('those who wait go when the listener does', () => {
  const bench = new Bench();
  bench.state.stops = 1;
  bench.come(1, 2);
  bench.admission.close();
  expect(bench.destroyed).toEqual([1, 2]);
});

it('bypass_overload_manager', () => {
  const bench = new Bench({ isBypassed: true });
  Object.assign(bench.state, { stops: 1, rejects: 1, sheds: true });
  expect(bench.come(1)).toEqual([true]);
  expect(bench.admission.handshakes).toBeNull();
  expect(new Bench().admission.handshakes?.scaled(100)).toBe(5);
});
