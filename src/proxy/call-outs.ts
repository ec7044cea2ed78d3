import type { Clusters } from '../cluster/cluster.ts';
import { HttpCall } from '../cluster/http-call.ts';
import type { Clock, Timers } from '../core/clock.ts';
import type { RequestHead } from '../core/head.ts';
import type { CallOut, CallOuts, HttpCallOptions, HttpCallUser } from '../filter/call-outs.ts';

/** What calls need of their worker. */
export interface CallOutContext {
  readonly clusters: Clusters;
  readonly clock: Clock;
  readonly timers: Timers;
  /** 0 ≤ x < 1. */
  random(): number;
  /** The address of this machine, which calls say they are forwarded for. */
  readonly localAddress: string;
}

const nobody: CallOut = { cancel() {} };

/** Calls of a worker's filters, over its clusters. */
export class ClusterCallOuts implements CallOuts {
  private readonly context: CallOutContext;

  constructor(context: CallOutContext) {
    this.context = context;
  }

  http(
    clusterName: string,
    head: RequestHead,
    body: Uint8Array | null,
    { timeoutMs, bodyBytesMax }: HttpCallOptions,
    user: HttpCallUser,
  ): CallOut {
    const { clusters, clock, timers, localAddress } = this.context;
    const cluster = clusters.get(clusterName);
    if (cluster === undefined) {
      user.onFailure(`there is no cluster ${clusterName}`);
      return nobody;
    }
    const { headers } = head;
    // As Envoy's own requests.
    headers.set('x-envoy-internal', 'true');
    headers.set('x-forwarded-for', localAddress);
    if (timeoutMs > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(timeoutMs));
    if (body !== null) headers.set('content-length', String(body.length));
    const settings = { clock, timers, random: () => this.context.random(), timeoutMs, bodyBytesMax };
    const call = new HttpCall(cluster, head, body, settings, {
      onAnswer: (answer, bytes) => user.onAnswer({ head: answer, body: bytes }),
      onFailure: (reason) => user.onFailure(reason),
    });
    call.start();
    return call;
  }
}
