import type { MessageInitShape } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { Clock } from '../../../../../src/core/clock.ts';
import { ResponseFlag } from '../../../../../src/core/failure.ts';
import type { TrafficDirection } from '../../../../../src/filter/filter.ts';
import { unknownWorkload, Workload } from '../../../../../src/filter/istio/workload/workload.ts';
import { networkIstioStatsBuilder } from '../../../../../src/filter/network/istio-stats/build.ts';
import type { NetworkFilterTools } from '../../../../../src/filter/network/network-filter.ts';
import { Outcome } from '../../../../../src/observe/outcome.ts';
import type { PluginConfigSchema } from '../../../../../src/proto/istio/stats_pb.js';
import { node, Page, statsData } from '../../istio/stats/telemetry-fixture.ts';
import { ManualTimers } from '../../filter-fixture.ts';
import { TestFilteredStream } from '../filtered-stream.ts';

const peer = new Workload({ ...unknownWorkload, workload: 'tcp-echo-v1', namespace: 'echo', app: 'tcp-echo' });

class Bed {
  readonly page = new Page();
  readonly clock = new Clock();
  readonly timers = new ManualTimers(this.clock);
  readonly outcome = new Outcome();
  readonly stream = Object.assign(new TestFilteredStream(), { connectionOutcome: () => this.outcome });
  readonly filter;

  constructor(trafficDirection: TrafficDirection, fields: MessageInitShape<typeof PluginConfigSchema> = {}) {
    const { clock, timers } = this;
    const tools = { stats: this.page.worker.root, clock, timers, node, trafficDirection };
    this.filter = networkIstioStatsBuilder.build(statsData(fields), tools as unknown as NetworkFilterTools).create();
    this.stream.notes.describe(this.outcome);
    this.filter.onNewConnection!(this.stream);
  }

  /** Name without its prefix → value. */
  async values(): Promise<Record<string, number>> {
    const lines = await this.page.lines('istio_tcp_');
    return Object.fromEntries(
      lines.map((line) => [/^istio_tcp_(\w+)/.exec(line)![1], Number(/(\d+)$/.exec(line)![1])]),
    );
  }
}

it('a client tells of a connection once it knows who its upstream is, and of its bytes from time to time', async () => {
  const bed = new Bed('OUTBOUND');
  const found = new Map<string, unknown>();
  bed.outcome.upstreamFilterState = found;
  bed.outcome.bytesReceived = 10;
  bed.timers.pass(5000);
  expect(await bed.values()).toEqual({});
  peer.setIn(found, 'upstream_peer', false);
  bed.timers.pass(5000);
  expect(await bed.values()).toEqual({
    connections_opened_total: 1,
    received_bytes_total: 10,
    sent_bytes_total: 0,
    connections_closed_total: 0,
  });
  bed.outcome.bytesReceived = 30;
  bed.outcome.bytesSent = 7;
  bed.outcome.flags = ResponseFlag.UpstreamRemoteReset;
  bed.filter.onClosed!(bed.stream);
  expect(await bed.values()).toEqual({
    connections_opened_total: 1,
    received_bytes_total: 30,
    sent_bytes_total: 7,
    connections_closed_total: 1,
  });
  expect(await bed.page.lines('istio_tcp_connections_closed_total')).toEqual([
    'istio_tcp_connections_closed_total{reporter="source",source_workload="reviews-v1",' +
      'source_canonical_service="reviews",source_canonical_revision="v1",source_workload_namespace="default",' +
      'source_principal="unknown",source_app="reviews",source_version="v1",source_cluster="Kubernetes",' +
      'destination_workload="tcp-echo-v1",destination_workload_namespace="echo",destination_principal="unknown",' +
      'destination_app="tcp-echo",destination_version="unknown",destination_service="unknown",' +
      'destination_canonical_service="unknown",destination_canonical_revision="latest",' +
      'destination_service_name="unknown",destination_service_namespace="echo",destination_cluster="unknown",' +
      'request_protocol="tcp",response_flags="-",connection_security_policy="unknown"} 1',
  ]);
  expect(bed.timers.size).toBe(0);
});

it('a server tells at the end of a connection of whom it never knew', async () => {
  const bed = new Bed('INBOUND', { metrics: [{ name: 'tcp_sent_bytes_total', drop: true }] });
  bed.outcome.bytesReceived = 5;
  bed.timers.pass(60_000);
  bed.filter.onClosed!(bed.stream);
  expect(await bed.values()).toEqual({
    connections_opened_total: 1,
    connections_closed_total: 1,
    received_bytes_total: 5,
  });
  const [line] = await bed.page.lines('istio_tcp_connections_opened_total');
  expect(line).toMatch(/reporter="destination",source_workload="unknown".*connection_security_policy="none"/);
});

it('it is known that nobody will be: that is told at once', async () => {
  const bed = new Bed('INBOUND', { tcpReportingDuration: { seconds: 1n } });
  bed.stream.notes.filterState.set('peer_not_found', true);
  bed.timers.pass(1000);
  expect((await bed.values()).connections_opened_total).toBe(1);
});

it('series that are forgotten meanwhile are asked for anew', async () => {
  const bed = new Bed('INBOUND', { rotationInterval: { seconds: 60n }, gracefulDeletionInterval: { seconds: 1n } });
  bed.stream.notes.filterState.set('peer_not_found', true);
  for (let i = 0; i < 40; i++) {
    bed.outcome.bytesSent += 2;
    bed.timers.pass(5000);
  }
  bed.filter.onClosed!(bed.stream);
  const { sent_bytes_total, connections_closed_total } = await bed.values();
  expect([sent_bytes_total, connections_closed_total]).toEqual([80, 1]);
});
