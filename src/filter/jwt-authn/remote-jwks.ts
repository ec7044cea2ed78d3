import type { Clock } from '../../core/clock.ts';
import { HttpVersion, RequestHead } from '../../core/head.ts';
import { Headers } from '../../core/headers.ts';
import type { CallOuts, HttpAnswer, HttpCallUser } from '../call-outs.ts';
import type { RemoteJwksData } from './jwt-authn-data.ts';
import { parseJwks, type Jwks } from './jwks.ts';

/** Keys are fetched anew this long before they are too old. Envoy's. */
const aheadMs = 5000;

/** Bytes of a set of keys: those of large issuers have some KiB. */
const bodyBytesMax = 1024 * 1024;

/** Envoy's: there are issuers that answer nobody else. */
const userAgent = 'Go-browser';

/** Hears of keys, or null where there are none to be had. */
export type JwksWaiter = (jwks: Jwks | null) => void;

/** What a fetch needs, and whom it tells. */
export interface RemoteJwksContext {
  readonly callOuts: CallOuts;
  readonly clock: Clock;
  /** `reason`: empty where it went well. */
  onFetched(reason: string): void;
}

/** The keys that an issuer publishes, kept as long as configured. Requests that wait for the same fetch share it. */
export class RemoteJwks implements HttpCallUser {
  private readonly data: RemoteJwksData;
  private readonly context: RemoteJwksContext;
  private jwks: Jwks | null;
  private expiresAt: number;
  private refetchAt: number;
  private isFetching: boolean;
  private waiters: JwksWaiter[];

  constructor(data: RemoteJwksData, context: RemoteJwksContext) {
    this.data = data;
    this.context = context;
    this.jwks = null;
    this.expiresAt = -Infinity;
    this.refetchAt = -Infinity;
    this.isFetching = false;
    this.waiters = [];
    if (data.ahead !== null) this.fetch();
  }

  /** The waiter hears at once where there are keys. */
  get(waiter: JwksWaiter): void {
    const { now } = this.context.clock;
    const isFresh = this.jwks !== null && now < this.expiresAt;
    if (!isFresh) this.waiters.push(waiter);
    if (!this.isFetching && (!isFresh || (this.data.ahead !== null && now >= this.refetchAt))) this.fetch();
    if (isFresh) waiter(this.jwks);
  }

  onAnswer({ head, body }: HttpAnswer): void {
    if (head.status !== 200) {
      this.failed(`the answer is ${head.status}`);
      return;
    }
    const jwks = parseJwks(Buffer.from(body.buffer, body.byteOffset, body.length).toString('utf8'));
    if (jwks.keys.length === 0) this.failed(jwks.problem);
    else this.fetched(jwks);
  }

  onFailure(reason: string): void {
    this.failed(reason);
  }

  private fetch(): void {
    this.isFetching = true;
    const { cluster, authority, path, timeoutMs, retries } = this.data;
    const head = new RequestHead('GET', authority, path, HttpVersion.Http11, new Headers());
    head.headers.add('user-agent', userAgent);
    this.context.callOuts.http(cluster, head, null, { timeoutMs, bodyBytesMax, saysForWhom: true, retries }, this);
  }

  private fetched(jwks: Jwks): void {
    const { data, context } = this;
    this.jwks = jwks;
    this.expiresAt = context.clock.now + data.cacheMs;
    this.refetchAt = data.cacheMs > aheadMs ? this.expiresAt - aheadMs : this.expiresAt;
    context.onFetched('');
    this.tell(jwks);
  }

  private failed(reason: string): void {
    const { data, context, jwks } = this;
    context.onFetched(reason);
    if (data.ahead === null || jwks === null) {
      this.tell(null);
      return;
    }
    // Fetched ahead, the old keys serve until there are new ones, as in Envoy.
    this.refetchAt = context.clock.now + data.ahead.failedRefetchMs;
    this.expiresAt = Math.max(this.expiresAt, this.refetchAt);
    this.tell(jwks);
  }

  private tell(jwks: Jwks | null): void {
    const { waiters } = this;
    this.waiters = [];
    this.isFetching = false;
    for (const waiter of waiters) waiter(jwks);
  }
}
