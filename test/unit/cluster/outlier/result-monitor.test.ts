import { describe, expect, it } from 'vitest';
import { HealthCell } from '../../../../src/cluster/health/health-memory.ts';
import type { UpstreamHost } from '../../../../src/cluster/host/host.ts';
import type { OutlierData } from '../../../../src/cluster/outlier/outlier-data.ts';
import { Overflow, RemoteConnectionFailure } from '../../../../src/core/failures.ts';
import { HttpVersion, RequestHead, ResponseHead } from '../../../../src/core/head.ts';
import { Headers } from '../../../../src/core/headers.ts';
import { anyHost, hostData, runtimeOf, World } from '../cluster-fixture.ts';
import { outlierData } from './outlier-fixture.ts';

const plain = new RequestHead('GET', 'a', '/', HttpVersion.Http11, new Headers());
const grpc = new RequestHead('POST', 'a', '/', HttpVersion.Http2, Headers.of(['content-type', 'application/grpc']));

class Subject {
  readonly world = new World();
  readonly host: UpstreamHost;

  constructor(outlier: Partial<OutlierData> | null, more = {}) {
    const hosts = [hostData('10.0.0.1', { healthSlot: 3 })];
    const cluster = this.world.cluster({ hosts, outlier: outlier === null ? null : outlierData(outlier), ...more });
    this.host = cluster.pick(anyHost) as UpstreamHost;
  }

  answers(...statuses: number[]): this {
    for (const status of statuses) this.host.recordAnswer(plain, new ResponseHead(status, new Headers()));
    return this;
  }

  says(name: string, value: string, request = plain): this {
    this.host.recordAnswer(request, new ResponseHead(200, Headers.of([name, value])));
    return this;
  }

  get found(): string[] {
    return this.world.findings.map(({ what }) => what);
  }

  read(cell: HealthCell): number {
    return this.world.health.load(3, cell);
  }
}

describe('ResultMonitor', () => {
  it('reports so many server errors in a row, once', () => {
    const subject = new Subject({ consecutive5xx: 3 }).answers(500, 501, 200, 500, 500);
    expect(subject.found).toEqual([]);
    subject.answers(599, 500);
    expect(subject.world.findings).toEqual([{ cluster: 'c', host: '10.0.0.1:80', what: 'consecutive_5xx' }]);
  });

  it('counts 502, 503 and 504 as failures of gateways, too', () => {
    const subject = new Subject({ consecutiveGatewayFailure: 3, consecutive5xx: 9 }).answers(502, 503, 500, 504, 502);
    expect(subject.found).toEqual([]);
    expect(subject.answers(503).found).toEqual(['consecutive_gateway_failure']);
  });

  it('takes thresholds from the runtime', () => {
    const subject = new Subject({ consecutive5xx: 3 });
    subject.world.runtime.update(runtimeOf({ 'outlier_detection.consecutive_5xx': '1' }));
    expect(subject.answers(500).found).toEqual(['consecutive_5xx']);
  });

  it('counts what is not answered as 503, timeouts as they are answered, and no lack of room', () => {
    const subject = new Subject({ consecutive5xx: 9 });
    subject.host.recordResult(0, RemoteConnectionFailure);
    subject.host.recordResult(0, Overflow);
    subject.host.recordTimeout();
    subject.host.recordTimeout(204);
    subject.host.recordTimeout(0);
    expect(subject.read(HealthCell.ExternalTotal)).toBe(3);
    expect(subject.read(HealthCell.ExternalSuccess)).toBe(1);
  });

  it('counts errors of connections apart where it is told to', () => {
    const subject = new Subject({ splitsOrigins: true, consecutiveLocalOriginFailure: 2 });
    subject.host.recordResult(0, RemoteConnectionFailure);
    subject.host.recordConnected(false);
    subject.host.recordTimeout();
    expect(subject.found).toEqual([]);
    subject.host.recordResult(0, RemoteConnectionFailure);
    expect(subject.found).toEqual(['consecutive_local_origin_failure']);
    expect(subject.read(HealthCell.LocalTotal)).toBe(4);
    expect(subject.read(HealthCell.LocalSuccess)).toBe(1);
    expect(subject.read(HealthCell.ExternalTotal)).toBe(0);
  });

  it('counts plain connections', () => {
    const subject = new Subject({});
    subject.host.recordConnected(true);
    subject.host.recordConnected(false);
    expect(subject.read(HealthCell.ExternalSuccess)).toBe(1);
  });

  it('reads the status of a gRPC answer without a body', () => {
    const subject = new Subject({ consecutive5xx: 2 });
    subject.says('grpc-status', '14', plain).says('grpc-status', '14', grpc).says('grpc-status', '5', grpc);
    expect(subject.read(HealthCell.ExternalSuccess)).toBe(2);
    subject.says('grpc-status', '13', grpc).says('grpc-status', '99', grpc);
    expect(subject.found).toEqual(['consecutive_5xx']);
    expect(subject.says('grpc-status', 'x', grpc).read(HealthCell.Consecutive5xx)).toBe(0);
  });

  it('tells of answers that ask for no more, where hosts are checked', () => {
    expect(new Subject({}).says('x-envoy-immediate-health-check-fail', '').found).toEqual([]);
    const subject = new Subject(null, { healthCheck: {} });
    expect(subject.says('x-envoy-immediate-health-check-fail', '').found).toEqual(['immediate_failure']);
    expect(subject.read(HealthCell.ExternalTotal)).toBe(0);
  });

  it('tells of answers that call their host degraded, where it is told to', () => {
    expect(new Subject({}).says('x-envoy-degraded', '').found).toEqual([]);
    expect(new Subject({ detectsDegraded: true }).says('x-envoy-degraded', '').found).toEqual(['degraded']);
  });
});
