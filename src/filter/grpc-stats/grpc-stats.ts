import { isGrpcRequest } from '../../core/grpc-request.ts';
import type { RequestHead, ResponseHead } from '../../core/head.ts';
import type { Headers } from '../../core/headers.ts';
import { Verdict, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { GrpcFrameReader } from '../grpc/grpc-frames.ts';
import type { GrpcMethod } from '../grpc/grpc-method.ts';
import { isGrpcResponse } from '../grpc/grpc-response.ts';
import { everyMethod, MethodStatsTable, type MethodNaming, type MethodStats } from '../grpc/method-stats.ts';
import { ConnectResponseReader } from './connect-response-reader.ts';
import type { GrpcStatsData } from './grpc-stats-data.ts';
import { MessageCounts } from './message-counts.ts';

/** `envoy.filters.http.grpc_stats`: counts the calls and messages of each cluster, in all or by method. */
export class GrpcStatsFilter implements FilterFactory {
  private readonly settings: CallSettings;

  constructor(data: GrpcStatsData) {
    this.settings = {
      methods: new MethodStatsTable('grpc', namingOf(data)),
      emitFilterState: data.emitFilterState,
      enableUpstreamStats: data.enableUpstreamStats,
    };
  }

  create(): HttpFilter {
    return new CountedCall(this.settings);
  }
}

interface CallSettings {
  readonly methods: MethodStatsTable;
  readonly emitFilterState: boolean;
  readonly enableUpstreamStats: boolean;
}

/** What a request is; https://connectrpc.com/docs/protocol has the Connect kinds. */
const CallKind = { None: 0, Grpc: 1, ConnectStreaming: 2, ConnectUnary: 3 } as const;
type CallKind = (typeof CallKind)[keyof typeof CallKind];

const connectStreamingType = 'application/connect+';

/** One stream. Source: Envoy `grpc_stats_filter.cc`. */
class CountedCall implements HttpFilter {
  private readonly settings: CallSettings;
  private kind: CallKind;
  /** Null: there is no cluster, or the path names no method. */
  private stats: MethodStats | null;
  private requests: GrpcFrameReader | null;
  /** Null: the response is no stream of frames. */
  private responses: GrpcFrameReader | null;
  private counts: MessageCounts | null;

  constructor(settings: CallSettings) {
    this.settings = settings;
    this.kind = CallKind.None;
    this.stats = null;
    this.requests = null;
    this.responses = null;
    this.counts = null;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    this.kind = kindOf(head);
    if (this.kind === CallKind.None) return Verdict.Continue;
    if (this.kind !== CallKind.ConnectUnary) this.requests = new GrpcFrameReader();
    const cluster = stream.clusterStats;
    if (cluster !== null) this.stats = this.settings.methods.find(cluster, head.path);
    return Verdict.Continue;
  }

  onRequestData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    if (this.kind === CallKind.None) return Verdict.Continue;
    const messages = this.requests === null ? Number(end) : this.requests.read(chunk);
    if (messages > 0) {
      this.stats?.requestMessages(messages);
      if (this.settings.emitFilterState) this.countsOf(stream).requests += messages;
    }
    return Verdict.Continue;
  }

  onResponseHead(stream: Stream, head: ResponseHead, end: boolean): Verdict {
    const { kind } = this;
    if (kind === CallKind.None && !this.settings.emitFilterState) return Verdict.Continue;
    // The answer to a request that is no gRPC may be, and access logs are told of its messages.
    if (kind <= CallKind.Grpc && isGrpcResponse(head, end)) this.responses = new GrpcFrameReader();
    if (kind === CallKind.ConnectStreaming) this.responses = new ConnectResponseReader();
    if (this.stats === null) return Verdict.Continue;
    if (kind === CallKind.ConnectUnary) this.stats.result(head.status === 200);
    else if (!isConnectStream(head)) this.stats.status(head.headers.get('grpc-status'));
    if (end) this.recordTime(stream, this.stats);
    return Verdict.Continue;
  }

  onResponseData(stream: Stream, chunk: Uint8Array, end: boolean): Verdict {
    const { kind, responses } = this;
    if (responses === null && kind !== CallKind.ConnectUnary) return Verdict.Continue;
    const messages = responses !== null ? responses.read(chunk) : Number(end);
    if (messages > 0) {
      this.stats?.responseMessages(messages);
      if (this.settings.emitFilterState) this.countsOf(stream).responses += messages;
    }
    // A Connect response has no trailers: it ends here.
    if (end && kind > CallKind.Grpc && this.stats !== null) {
      if (responses instanceof ConnectResponseReader) this.stats.result(responses.isSuccess);
      this.recordTime(stream, this.stats);
    }
    return Verdict.Continue;
  }

  onResponseTrailers(stream: Stream, trailers: Headers): Verdict {
    if (this.kind !== CallKind.Grpc || this.stats === null) return Verdict.Continue;
    this.stats.status(trailers.get('grpc-status'));
    this.recordTime(stream, this.stats);
    return Verdict.Continue;
  }

  private countsOf(stream: Stream): MessageCounts {
    if (this.counts !== null) return this.counts;
    this.counts = new MessageCounts();
    stream.outcome.filterState ??= new Map();
    stream.outcome.filterState.set(MessageCounts.key, this.counts);
    return this.counts;
  }

  /** From the last byte of the request to the last one of the response; nothing where either is missing. */
  private recordTime(stream: Stream, stats: MethodStats): void {
    if (!this.settings.enableUpstreamStats) return;
    const { upstreamRequestEndMs, upstreamResponseEndMs } = stream.outcome;
    const ms = upstreamResponseEndMs - upstreamRequestEndMs;
    if (!Number.isNaN(ms)) stats.upstreamTime(ms);
  }
}

function kindOf(head: RequestHead): CallKind {
  if (head.path === '') return CallKind.None;
  if (isGrpcRequest(head)) return CallKind.Grpc;
  if (head.headers.get('content-type')?.startsWith(connectStreamingType) === true) return CallKind.ConnectStreaming;
  return head.headers.has('connect-protocol-version') ? CallKind.ConnectUnary : CallKind.None;
}

function isConnectStream(head: ResponseHead): boolean {
  return head.status === 200 && head.headers.get('content-type')?.startsWith(connectStreamingType) === true;
}

function namingOf(data: GrpcStatsData): MethodNaming {
  if (data.forAllMethods && data.replaceDots) {
    return { nameOf: ({ service, method }) => `${service.replaceAll('.', '_')}.${method}` };
  }
  return data.forAllMethods ? everyMethod : new ListedMethods(data.methods);
}

/** Only these have names of their own. */
class ListedMethods implements MethodNaming {
  private readonly services: ReadonlyMap<string, ReadonlySet<string>>;

  constructor(methods: readonly GrpcMethod[]) {
    const services = new Map<string, Set<string>>();
    for (const { service, method } of methods) {
      const known = services.get(service);
      if (known === undefined) services.set(service, new Set([method]));
      else known.add(method);
    }
    this.services = services;
  }

  nameOf({ service, method }: GrpcMethod): string | null {
    return this.services.get(service)?.has(method) === true ? `${service}.${method}` : null;
  }
}
