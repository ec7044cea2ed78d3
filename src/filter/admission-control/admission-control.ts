import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { isFlagOn, type RuntimeView } from '../../core/runtime-view.ts';
import type { Counter } from '../../observe/stats/stats.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { isGrpcResponse } from '../grpc/grpc-response.ts';
import type { AdmissionControlData, RuntimeNumberData } from './admission-control-data.ts';
import { RecentAnswers } from './recent-answers.ts';

/** Chances are as fine as this part of one. */
const accuracy = 10_000;

/** What all streams of one worker share: what has become of the requests before. */
export class AdmissionControl implements FilterFactory {
  readonly answers: RecentAnswers;
  readonly rejected: Counter;
  private readonly data: AdmissionControlData;
  private readonly runtime: RuntimeView;
  private readonly random: () => number;
  private readonly succeeded: Counter;
  private readonly failed: Counter;

  constructor(data: AdmissionControlData, context: FilterContext) {
    const scope = context.stats.scope('admission_control');
    this.data = data;
    this.runtime = context.runtime;
    this.random = () => context.random();
    this.answers = new RecentAnswers(data.windowMs);
    this.rejected = scope.counter('rq_rejected');
    this.succeeded = scope.counter('rq_success');
    this.failed = scope.counter('rq_failure');
  }

  create(): HttpFilter {
    return new AdmissionControlFilter(this);
  }

  get isOn(): boolean {
    return isFlagOn(this.runtime, this.data.enabled);
  }

  rejects(nowMs: number): boolean {
    const { answers, data } = this;
    if (answers.rate(nowMs) < this.now(data.rpsThreshold)) return false;
    const threshold = Math.min(Math.max(this.now(data.successThreshold), 1), 100) / 100;
    const aggression = Math.max(this.now(data.aggression), 1);
    const excess = (answers.requests - answers.successes / threshold) / (answers.requests + 1);
    const chance = Math.min(excess > 0 ? excess ** (1 / aggression) : 0, this.now(data.rejectionMax) / 100);
    return accuracy * chance > Math.floor(this.random() * accuracy);
  }

  isHttpSuccess(status: number): boolean {
    const { httpSuccess } = this.data;
    if (httpSuccess === null) return status < 500;
    return httpSuccess.some(([from, below]) => status >= from && status < below);
  }

  /** `status`: the text of `grpc-status`. */
  isGrpcSuccess(status: string): boolean {
    return /^\d+$/.test(status) && this.data.grpcSuccess.includes(Number(status));
  }

  record(isSuccess: boolean, nowMs: number): void {
    (isSuccess ? this.succeeded : this.failed).inc();
    this.answers.record(isSuccess, nowMs);
  }

  private now({ key, value }: RuntimeNumberData): number {
    return key === '' ? value : this.runtime.number(key, value);
  }
}

/** `envoy.filters.http.admission_control`: turns requests away the more often, the fewer of those before went well. */
class AdmissionControlFilter implements HttpFilter {
  private readonly control: AdmissionControl;
  private isRecorded: boolean;
  private awaitsTrailers: boolean;

  constructor(control: AdmissionControl) {
    this.control = control;
    this.isRecorded = true;
    this.awaitsTrailers = false;
  }

  onRequestHead(stream: Stream, _head: RequestHead): Verdict {
    const { control } = this;
    if (!control.isOn || stream.outcome.isHealthCheck) {
      this.isRecorded = false;
      return Verdict.Continue;
    }
    if (!control.rejects(stream.clock.now)) return Verdict.Continue;
    this.isRecorded = false;
    control.rejected.inc();
    stream.reply({ status: 503, body: '', details: 'denied_by_admission_control' });
    return Verdict.Stop;
  }

  onResponseHead(stream: Stream, head: ResponseHead, end: boolean): Verdict {
    if (!this.isRecorded) return Verdict.Continue;
    if (!isGrpcResponse(head, end)) {
      this.record(stream, this.control.isHttpSuccess(head.status));
      return Verdict.Continue;
    }
    const status = head.headers.get('grpc-status');
    this.awaitsTrailers = status === undefined;
    if (status !== undefined) this.record(stream, this.control.isGrpcSuccess(status));
    return Verdict.Continue;
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    if (this.awaitsTrailers) this.record(stream, this.control.isGrpcSuccess(trailers.get('grpc-status') ?? ''));
    return Verdict.Continue;
  }

  private record(stream: Stream, isSuccess: boolean): void {
    this.control.record(isSuccess, stream.clock.now);
  }
}
