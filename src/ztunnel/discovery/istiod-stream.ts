import type { CallListener, GrpcCall, GrpcChannel, Metadata } from '../../agent/grpc/grpc-channel.ts';
import type { Later } from '../../agent/identity/later.ts';
import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import type { RequestStream, StreamUser } from '../../control/xds/protocol/conversation.ts';
import {
  decodeResponse,
  encodeRequest,
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
} from './discovery-decode.ts';

const method = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

/** Waits until the next stream: the first, and the longest; each is twice the one before. ztunnel's. */
const firstWaitMs = 10;
const waitMaxMs = 15_000;

/** Why streams end, as ztunnel counts it. */
export type Termination = 'ConnectionError' | 'Error' | 'Reconnect' | 'Complete';

export interface IstiodStreamOptions {
  readonly channel: GrpcChannel;
  /** Read for each stream, for tokens change. */
  readonly metadata: () => Metadata;
  readonly later: Later;
  /** Does what belongs to an entry into the event loop. */
  readonly entered: (act: () => void) => void;
  readonly onMessage: (typeUrl: string, bytes: number) => void;
  readonly onEnded: (why: Termination, message: string) => void;
}

/** The one stream to istiod, which is opened again whenever it ends. */
export class IstiodStream implements RequestStream<DeltaDiscoveryRequest>, CallListener {
  private readonly options: IstiodStreamOptions;
  private user: StreamUser<DeltaDiscoveryResponse>;
  private call: GrpcCall | null;
  private isFull: boolean;
  private hasAnswered: boolean;
  private waitMs: number;
  private isStopped: boolean;

  constructor(options: IstiodStreamOptions) {
    this.options = options;
    this.user = null!;
    this.call = null;
    this.isFull = false;
    this.hasAnswered = false;
    this.waitMs = firstWaitMs;
    this.isStopped = false;
  }

  /** Once, before `start`. */
  attach(user: StreamUser<DeltaDiscoveryResponse>): void {
    this.user = user;
  }

  start(): void {
    if (this.isStopped) return;
    const { channel, metadata, entered } = this.options;
    this.hasAnswered = false;
    this.isFull = false;
    try {
      this.call = channel.open(method, metadata(), this);
    } catch (error) {
      this.onStatus(GrpcCode.Unavailable, (error as Error).message);
      return;
    }
    this.call.onDrain(() => {
      this.isFull = false;
      entered(() => this.user.onRoom());
    });
    entered(() => this.user.onOpened());
  }

  stop(): void {
    this.isStopped = true;
    this.call?.cancel();
    this.call = null;
    this.options.channel.close();
  }

  // RequestStream

  get isOpen(): boolean {
    return this.call !== null;
  }

  mayAsk(): boolean {
    return this.call !== null && !this.isFull;
  }

  send(request: DeltaDiscoveryRequest): void {
    if (this.call !== null && !this.call.send(encodeRequest(request))) this.isFull = true;
  }

  // CallListener

  onFramedMessage(bytes: Uint8Array): void {
    if (this.isStopped) return;
    this.hasAnswered = true;
    this.waitMs = firstWaitMs;
    let response: DeltaDiscoveryResponse;
    try {
      response = decodeResponse(bytes);
    } catch (error) {
      this.call?.cancel();
      this.onStatus(GrpcCode.Internal, `not a discovery response: ${(error as Error).message}`);
      return;
    }
    this.options.onMessage(response.typeUrl, bytes.length);
    this.options.entered(() => this.user.onResponse(response));
  }

  onStatus(code: number, message: string): void {
    if (this.isStopped) return;
    this.call = null;
    const { options, hasAnswered } = this;
    options.onEnded(terminationOf(code, hasAnswered), message);
    // A connection that never said anything is opened anew, with what certificates and addresses are then.
    if (!hasAnswered) options.channel.close();
    options.entered(() => this.user.onFailed());
    const waitMs = this.waitMs;
    this.waitMs = hasAnswered ? firstWaitMs : Math.min(waitMaxMs, waitMs * 2);
    options.later.after(waitMs, () => this.start());
  }
}

function terminationOf(code: number, hasAnswered: boolean): Termination {
  if (code === GrpcCode.Ok) return 'Complete';
  if (!hasAnswered) return 'ConnectionError';
  const isUsual =
    code === GrpcCode.Unavailable ||
    code === GrpcCode.Cancelled ||
    code === GrpcCode.Unknown ||
    code === GrpcCode.DeadlineExceeded;
  return isUsual ? 'Reconnect' : 'Error';
}
