import { isFieldValue } from '../../core/field-value.ts';
import type { RequestHead } from '../../core/head.ts';
import { wireText } from '../../route/wire-text.ts';
import type { Stream } from '../filter.ts';
import type { Audiences } from './audiences.ts';
import { claimAt, claimText } from './claim.ts';
import type { JwtStats } from './jwt-stats.ts';
import { JwtStatus } from './jwt-status.ts';
import { isJwt, parseJwt, type Claims, type Jwt } from './jwt.ts';
import type { Jwks } from './jwks.ts';
import type { Provider } from './provider.ts';
import type { Providers } from './providers.ts';
import type { FoundToken } from './token-locations.ts';

/** What the tokens of one request have said so far. */
export class JwtFindings {
  readonly stream: Stream;
  readonly head: RequestHead;
  /** For dynamic metadata, once the request has passed. */
  readonly metadata: Map<string, unknown>;
  clearsRoute: boolean;
  /** The stream has gone, or has its answer. */
  isOver: boolean;

  constructor(stream: Stream, head: RequestHead) {
    this.stream = stream;
    this.head = head;
    this.metadata = new Map();
    this.clearsRoute = false;
    this.isOver = false;
  }
}

/** What is asked of the tokens. */
export interface Asked {
  /** Null: whichever knows a token's issuer. */
  readonly provider: Provider | null;
  /** Null: the provider's own. */
  readonly audiences: Audiences | null;
  readonly allowsMissing: boolean;
  readonly allowsFailed: boolean;
  /** A request's field that says `false` where the token that was looked at last is not good, as in Envoy; absent: none. */
  readonly failureHeader?: string;
}

/** Checks all tokens that were found for one requirement, the last first: where one must be good, all must be. */
export class Authentication {
  private readonly asked: Asked;
  private readonly tokens: FoundToken[];
  private readonly findings: JwtFindings;
  private readonly providers: Providers;
  private readonly stats: JwtStats;
  private readonly done: (status: JwtStatus) => void;

  constructor(
    asked: Asked,
    tokens: FoundToken[],
    findings: JwtFindings,
    { providers, stats }: { readonly providers: Providers; readonly stats: JwtStats },
    done: (status: JwtStatus) => void,
  ) {
    this.asked = asked;
    this.tokens = tokens;
    this.findings = findings;
    this.providers = providers;
    this.stats = stats;
    this.done = done;
  }

  start(): void {
    if (this.tokens.length === 0) this.decided(JwtStatus.Missing, this.asked.provider);
    else this.next();
  }

  private next(): void {
    const token = this.tokens.pop()!;
    const known = this.fromCache(token);
    const parsed = known ?? parseJwt(token.text);
    if (!isJwt(parsed)) {
      this.decided(parsed, this.asked.provider);
      return;
    }
    const provider = token.isIssuerAllowed(parsed.issuer)
      ? (this.asked.provider ?? this.providers.ofIssuer(parsed.issuer))
      : null;
    if (provider === null) {
      this.decided(JwtStatus.UnknownIssuer, this.asked.provider);
      return;
    }
    const status = provider.checkClaims(parsed, this.asked.audiences);
    if (status !== JwtStatus.Ok) {
      if (known !== null) provider.cache?.delete(token.text);
      this.decided(status, provider);
    } else if (known !== null) this.accept(token, parsed, provider);
    else this.checkSigned(token, parsed, provider);
  }

  private fromCache({ text }: FoundToken): Jwt | null {
    const { provider } = this.asked;
    if (provider === null) return null;
    const known = provider.cache?.get(text) ?? null;
    if (known === null) this.stats.cacheMiss.inc();
    else this.stats.cacheHit.inc();
    return known;
  }

  private checkSigned(token: FoundToken, jwt: Jwt, provider: Provider): void {
    const { localKeys, remoteKeys } = provider;
    const check = (keys: Jwks | null): void => {
      if (this.findings.isOver) return;
      if (keys === null) {
        this.decided(JwtStatus.FetchFailed, provider);
        return;
      }
      const status = provider.signed.check(token.text, jwt, keys);
      if (status !== JwtStatus.Ok) {
        this.decided(status, provider);
        return;
      }
      if (this.asked.provider !== null) provider.cache?.add(token.text, jwt);
      this.accept(token, jwt, provider);
    };
    if (remoteKeys !== null) remoteKeys.get(check);
    else if (localKeys === null || localKeys.keys.length === 0) this.decided(JwtStatus.NoValidKeys, provider);
    else check(localKeys);
  }

  private accept(token: FoundToken, jwt: Jwt, provider: Provider): void {
    const { findings } = this;
    const { data } = provider;
    const { head } = findings;
    const { forwardPayloadHeader, payloadInMetadata, headerInMetadata } = data;
    let hasChanged = false;
    if (forwardPayloadHeader !== '') {
      head.headers.add(forwardPayloadHeader, data.padsForwardPayload ? padded(jwt.payloadText) : jwt.payloadText);
      hasChanged = true;
    }
    for (const { header, claim } of data.claimToHeaders) {
      const text = wireText(claimText(claimAt(jwt.payload, claim)));
      if (text === '' || !isFieldValue(text)) continue;
      head.headers.add(header, text);
      hasChanged = true;
    }
    if (!data.forward) token.remove(head, findings.stream.outcome);
    if (headerInMetadata !== '') findings.metadata.set(headerInMetadata, jwt.header);
    if (payloadInMetadata !== '') findings.metadata.set(payloadInMetadata, normalized(jwt.payload, data));
    hasChanged ||= headerInMetadata !== '' || payloadInMetadata !== '';
    if (hasChanged && data.clearRouteCache) findings.clearsRoute = true;
    this.decided(JwtStatus.Ok, provider);
  }

  /** Of the token at hand, or of there being none. */
  private decided(status: JwtStatus, provider: Provider | null): void {
    const { allowsFailed, allowsMissing } = this.asked;
    const key = provider?.data.failedStatusInMetadata ?? '';
    if (status !== JwtStatus.Ok && status !== JwtStatus.Missing && key !== '')
      this.findings.metadata.set(key, { code: status.code, message: status.text });
    const mustStop = status !== JwtStatus.Ok && !allowsFailed && !allowsMissing;
    if (!mustStop && this.tokens.length > 0) {
      this.next();
      return;
    }
    this.tokens.length = 0;
    const { failureHeader } = this.asked;
    if (failureHeader !== undefined && status !== JwtStatus.Ok && status !== JwtStatus.Missing)
      this.findings.head.headers.set(failureHeader, 'false');
    const isForgiven = allowsFailed || (allowsMissing && status === JwtStatus.Missing);
    this.done(isForgiven ? JwtStatus.Ok : status);
  }
}

function padded(base64: string): string {
  return base64.padEnd(Math.ceil(base64.length / 4) * 4, '=');
}

/** The payload for metadata: claims that are lists of words become lists. */
function normalized(payload: Claims, { spaceDelimitedClaims }: Provider['data']): Claims {
  if (spaceDelimitedClaims.length === 0) return payload;
  const lists = spaceDelimitedClaims.flatMap((claim) => {
    const value = Object.hasOwn(payload, claim) ? payload[claim] : undefined;
    return typeof value === 'string' ? [[claim, value.split(' ').filter((word) => word !== '')] as const] : [];
  });
  return { ...payload, ...Object.fromEntries(lists) };
}
