import type { Clock } from '../../core/clock.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { Audiences } from './audiences.ts';
import type { JwtProviderData } from './jwt-authn-data.ts';
import { JwtCache } from './jwt-cache.ts';
import { JwtStatus } from './jwt-status.ts';
import type { Jwt } from './jwt.ts';
import type { Jwks } from './jwks.ts';
import type { RemoteJwks } from './remote-jwks.ts';
import { SignedTokens } from './signed-tokens.ts';

/** An issuer of tokens, in one worker: what it asks of them, and its keys. */
export class Provider {
  readonly data: JwtProviderData;
  /** Null: verified tokens are not kept. */
  readonly cache: JwtCache | null;
  /** Null: they are `remoteKeys`. */
  readonly localKeys: Jwks | null;
  readonly remoteKeys: RemoteJwks | null;
  readonly signed: SignedTokens;
  private readonly audiences: Audiences;
  private readonly subjects: StringMatcher | null;
  private readonly clock: Clock;

  constructor(data: JwtProviderData, localKeys: Jwks | null, remoteKeys: RemoteJwks | null, clock: Clock) {
    this.data = data;
    this.cache = data.cache === null ? null : new JwtCache(data.cache.entries, data.cache.tokenBytes);
    this.localKeys = localKeys;
    this.remoteKeys = remoteKeys;
    this.signed = new SignedTokens();
    this.audiences = new Audiences(data.audiences);
    this.subjects = data.subjects === null ? null : new StringMatcher(data.subjects);
    this.clock = clock;
  }

  /** All that a token's claims are asked, but for who signed them. `audiences`: those of a requirement; null: its own. */
  checkClaims(jwt: Jwt, audiences: Audiences | null): JwtStatus {
    const now = Math.floor(this.clock.epochMs / 1000);
    const skew = this.data.clockSkewSeconds;
    if (now + skew < jwt.notBefore) return JwtStatus.NotYetValid;
    if (jwt.expiresAt !== 0 && now > jwt.expiresAt + skew) return JwtStatus.Expired;
    if (!(audiences ?? this.audiences).allow(jwt.audiences)) return JwtStatus.AudienceNotAllowed;
    if (this.subjects !== null && !this.subjects.matches(jwt.subject)) return JwtStatus.VerificationFailed;
    return this.allowsLifetime(jwt) ? JwtStatus.Ok : JwtStatus.VerificationFailed;
  }

  private allowsLifetime({ expiresAt }: Jwt): boolean {
    const { maxLifetimeMs } = this.data;
    if (maxLifetimeMs === null) return true;
    return expiresAt !== 0 && expiresAt * 1000 - this.clock.epochMs < maxLifetimeMs;
  }
}
