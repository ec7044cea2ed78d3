import type { Failure } from '../../core/failure.ts';
import { Overflow } from '../../core/failures.ts';
import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import { runtimeInteger, type RuntimeView } from '../../core/runtime-view.ts';
import { HealthCell, type HealthMemory } from '../health/health-memory.ts';
import { HealthFlag } from '../host/host-health.ts';
import type { HostMonitor, UpstreamHost } from '../host/host.ts';
import { httpStatusOf } from './grpc-http-status.ts';
import type { ConsecutiveType, HostFinding, OutlierData } from './outlier-data.ts';

/** What counts in place of an answer that has not come. Source: Envoy `DetectorHostMonitorImpl::resultToHttpCode`. */
const failedStatus = 503;

export interface ResultMonitorTools {
  readonly memory: HealthMemory;
  readonly runtime: RuntimeView;
  /** To the main thread. */
  report(finding: HostFinding): void;
}

/**
 * Counts the results of a cluster's hosts in shared memory, where all workers count together, and tells the main thread
 * when so many in a row have failed, or when an answer says that its host is not to be used.
 */
export class ResultMonitor implements HostMonitor {
  private readonly cluster: string;
  private readonly outlier: OutlierData | null;
  private readonly memory: HealthMemory;
  private readonly tools: ResultMonitorTools;
  private readonly splitsOrigins: boolean;
  private readonly detectsDegraded: boolean;
  private readonly isChecked: boolean;

  /** `isChecked`: its hosts have active checks. */
  constructor(cluster: string, outlier: OutlierData | null, isChecked: boolean, tools: ResultMonitorTools) {
    this.cluster = cluster;
    this.outlier = outlier;
    this.memory = tools.memory;
    this.tools = tools;
    this.splitsOrigins = outlier?.splitsOrigins ?? false;
    this.detectsDegraded = outlier?.detectsDegraded ?? false;
    this.isChecked = isChecked;
  }

  onResult(host: UpstreamHost, status: number, failure: Failure | null): void {
    if (failure === null) this.countExternal(host, status);
    // Whoever has no room is no worse for it.
    else if (failure.kind === Overflow.kind) return;
    else if (this.splitsOrigins) this.countLocal(host, false);
    else this.countExternal(host, failedStatus);
  }

  // hot: bench/request-path.ts
  onAnswer(host: UpstreamHost, request: RequestHead, { status, headers }: ResponseHead): void {
    const grpcStatus = headers.get('grpc-status');
    const fromGrpc = grpcStatus !== undefined && isGrpcRequest(request) ? httpStatusOf(grpcStatus) : 0;
    this.countExternal(host, fromGrpc === 0 ? status : fromGrpc);
    if (this.isChecked && headers.has('x-envoy-immediate-health-check-fail')) this.report(host, 'immediate_failure');
    if (this.detectsDegraded && headers.has('x-envoy-degraded')) {
      if ((host.healthFlags & HealthFlag.DegradedOutlierDetection) === 0) this.report(host, 'degraded');
    }
  }

  onConnected(host: UpstreamHost, isFinal: boolean): void {
    if (this.splitsOrigins) this.countLocal(host, true);
    else if (isFinal) this.countExternal(host, 200);
  }

  onTimeout(host: UpstreamHost, status: number): void {
    if (this.splitsOrigins) this.countLocal(host, false);
    else this.countExternal(host, status);
  }

  private countExternal(host: UpstreamHost, status: number): void {
    const { memory } = this;
    const slot = host.healthSlot;
    if (slot < 0 || this.outlier === null) return;
    memory.inc(slot, HealthCell.ExternalTotal);
    if (status >= 500 && status < 600) {
      this.countError(host, status, this.outlier);
      return;
    }
    memory.inc(slot, HealthCell.ExternalSuccess);
    if (memory.load(slot, HealthCell.Consecutive5xx) !== 0) memory.store(slot, HealthCell.Consecutive5xx, 0);
    if (memory.load(slot, HealthCell.ConsecutiveGatewayFailure) !== 0)
      memory.store(slot, HealthCell.ConsecutiveGatewayFailure, 0);
  }

  private countError(host: UpstreamHost, status: number, outlier: OutlierData): void {
    if (status >= 502 && status <= 504) {
      const limit = outlier.consecutiveGatewayFailure;
      this.countRow(host, HealthCell.ConsecutiveGatewayFailure, 'consecutive_gateway_failure', limit);
    } else this.memory.store(host.healthSlot, HealthCell.ConsecutiveGatewayFailure, 0);
    this.countRow(host, HealthCell.Consecutive5xx, 'consecutive_5xx', outlier.consecutive5xx);
  }

  private countLocal(host: UpstreamHost, isSuccess: boolean): void {
    const { memory, outlier } = this;
    const slot = host.healthSlot;
    if (slot < 0 || outlier === null) return;
    memory.inc(slot, HealthCell.LocalTotal);
    if (isSuccess) {
      memory.inc(slot, HealthCell.LocalSuccess);
      if (memory.load(slot, HealthCell.ConsecutiveLocalOriginFailure) !== 0)
        memory.store(slot, HealthCell.ConsecutiveLocalOriginFailure, 0);
      return;
    }
    const limit = outlier.consecutiveLocalOriginFailure;
    this.countRow(host, HealthCell.ConsecutiveLocalOriginFailure, 'consecutive_local_origin_failure', limit);
  }

  /** Exactly one thread sees the number that is the limit. */
  private countRow(host: UpstreamHost, cell: HealthCell, type: ConsecutiveType, configured: number): void {
    const count = this.memory.inc(host.healthSlot, cell);
    if (count === runtimeInteger(this.tools.runtime, `outlier_detection.${type}`, configured)) this.report(host, type);
  }

  private report(host: UpstreamHost, what: HostFinding['what']): void {
    this.tools.report({ cluster: this.cluster, host: host.key, what });
  }
}
