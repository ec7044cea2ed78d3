import type { Hash64 } from '../../../core/hash64.ts';
import type { RequestHead, ResponseHead } from '../../../core/head.ts';
import { MetadataCriteria } from '../../../core/metadata-criteria.ts';
import type { Host, OverrideHost, PickContext } from '../../../cluster/cluster.ts';
import { TriedPriorities } from '../../../cluster/tried-priorities.ts';
import type { Outcome } from '../../../observe/outcome.ts';
import type { ForwardAction } from '../../../route/route.ts';
import type { RetryState } from './retry-state.ts';
import type { HttpStream } from '../stream/stream.ts';

/** What a request says of the host that it is to reach. */
export class HostChoice implements PickContext {
  readonly random: number;
  readonly hostSelectionAttempts: number;
  /** Null: it is not tried again. */
  retry: RetryState | null;
  private readonly stream: HttpStream;
  private readonly action: ForwardAction;
  private readonly tried: TriedPriorities | null;
  /** `set-cookie` values for the client; null: none. */
  private cookies: string[] | null;

  constructor(stream: HttpStream, action: ForwardAction) {
    this.random = stream.random;
    this.hostSelectionAttempts = action.retry === null ? 0 : action.retry.hostSelectionAttempts;
    this.retry = null;
    const { retry } = action;
    const frequency = retry === null ? 0 : (retry.priorityUpdateFrequency ?? 0);
    this.tried = frequency === 0 ? null : new TriedPriorities(frequency);
    this.stream = stream;
    this.action = action;
    this.cookies = null;
  }

  get head(): RequestHead {
    return this.stream.requestHead;
  }

  /** Of the first try alone: it may have failed there. */
  get overrideHost(): OverrideHost | null {
    return this.outcome.attemptCount > 1 ? null : this.stream.overrideHost;
  }

  get outcome(): Outcome {
    return this.stream.outcome;
  }

  get hash(): Hash64 | null {
    const { hashPolicy } = this.action;
    return hashPolicy === null ? null : hashPolicy.hash(this.head, this.outcome, this);
  }

  /** What filters have noted of the request comes before what its route says. */
  get metadataMatch(): MetadataCriteria | null {
    const configured = this.stream.routing.choice?.metadataMatch ?? this.action.metadataMatch;
    const own = this.outcome.dynamicMetadata?.get('envoy.lb');
    if (typeof own !== 'object' || own === null) return configured;
    const struct = own as Readonly<Record<string, unknown>>;
    return configured === null ? new MetadataCriteria(struct) : configured.merge(struct);
  }

  /** Of a first try nothing is to be said. */
  get triedPriorities(): TriedPriorities | null {
    return this.outcome.attemptCount > 1 ? this.tried : null;
  }

  attempted({ priority }: Host): void {
    if (this.tried !== null) this.tried.attempted.push(priority);
  }

  /** A retry avoids hosts that its predicates name. */
  rejects(host: Host): boolean {
    return this.retry !== null && this.retry.rejects(host);
  }

  /** Of a hash policy: the client is told with the upstream's response. */
  addCookie(setCookie: string): void {
    this.cookies ??= [];
    this.cookies.push(setCookie);
  }

  tellCookies(head: ResponseHead): void {
    if (this.cookies === null) return;
    for (const cookie of this.cookies) head.headers.add('set-cookie', cookie);
  }
}
