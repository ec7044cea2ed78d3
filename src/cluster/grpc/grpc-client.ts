import type { Clock, Timers } from '../../core/clock.ts';
import type { Cluster, Host, PickContext } from '../cluster.ts';
import { CountedUser } from './counted-user.ts';
import { GrpcCall, type GrpcCallOptions, type GrpcCallUser, type GrpcMethod } from './grpc-call.ts';
import { GrpcCode, GrpcStatus } from './grpc-status.ts';

/** What the calls of one cluster share. */
export interface GrpcContext extends PickContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly timers: Timers;
}

/** Calls of our own to a cluster's hosts, over its pools, limits and stats. The cluster must speak HTTP/2. */
export class GrpcClient implements GrpcContext {
  readonly cluster: Cluster;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly hash: null;
  readonly hostSelectionAttempts: number;
  private readonly draw: () => number;

  /** `random`: 0 ≤ x < 1. */
  constructor(cluster: Cluster, clock: Clock, timers: Timers, random: () => number) {
    this.cluster = cluster;
    this.clock = clock;
    this.timers = timers;
    this.hash = null;
    this.hostSelectionAttempts = 0;
    this.draw = random;
  }

  get random(): number {
    return this.draw();
  }

  rejects(_host: Host): boolean {
    return false;
  }

  /** Begins a call whose messages follow by `send`. */
  open<Request, Response>(
    method: GrpcMethod<Request, Response>,
    user: GrpcCallUser<Response>,
    options: GrpcCallOptions = {},
  ): GrpcCall<Request, Response> {
    return this.begin(method, user, options, null);
  }

  /** A call with one message: the answer is one, or a stream of them. */
  ask<Request, Response>(
    method: GrpcMethod<Request, Response>,
    message: Request,
    user: GrpcCallUser<Response>,
    options: GrpcCallOptions = {},
  ): GrpcCall<Request, Response> {
    return this.begin(method, user, options, message);
  }

  /** `only`: the one message; null: messages follow. */
  private begin<Request, Response>(
    method: GrpcMethod<Request, Response>,
    user: GrpcCallUser<Response>,
    options: GrpcCallOptions,
    only: Request | null,
  ): GrpcCall<Request, Response> {
    const channel = this.cluster.channel ?? null;
    if (channel === null) return started(new GrpcCall(this, method, options, user), only);
    const counted = new CountedUser(channel, user);
    const fields = channel.open();
    if (typeof fields !== 'string') {
      const metadata = [...(options.metadata ?? []), ...fields];
      return started(new GrpcCall(this, method, { ...options, metadata }, counted), only);
    }
    const call = new GrpcCall(this, method, options, counted);
    call.cancel();
    counted.onStatus(new GrpcStatus(GrpcCode.Unavailable, fields));
    return call;
  }
}

function started<Request, Response>(
  call: GrpcCall<Request, Response>,
  only: Request | null,
): GrpcCall<Request, Response> {
  if (only !== null) call.send(only, true);
  call.start();
  return call;
}
