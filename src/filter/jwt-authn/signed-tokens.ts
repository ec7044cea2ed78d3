import type { Jwks } from './jwks.ts';
import { JwtStatus } from './jwt-status.ts';
import type { Jwt } from './jwt.ts';
import { checkSignature } from './signature.ts';

const entriesMax = 256;
/** Longer tokens are not kept. */
const textMax = 4096;

/**
 * Which tokens a set of keys has been found to have signed: the same question always has the same answer, and an RSA
 * signature costs more than a request. All that a token says is still read and checked each time, so that this is no
 * `jwt_cache` and nobody can tell it is there. Only good signatures are kept, and no longer than their keys.
 */
export class SignedTokens {
  private keys: Jwks | null;
  /** Those of the generation before go when this one is full. */
  private fresh: Set<string>;
  private stale: Set<string>;

  constructor() {
    this.keys = null;
    this.fresh = new Set();
    this.stale = new Set();
  }

  /** `text`: the whole token. */
  check(text: string, jwt: Jwt, keys: Jwks): JwtStatus {
    if (keys !== this.keys) {
      this.keys = keys;
      this.fresh.clear();
      this.stale.clear();
    }
    if (this.fresh.has(text)) return JwtStatus.Ok;
    const status = this.stale.has(text) ? JwtStatus.Ok : checkSignature(jwt, keys);
    if (status === JwtStatus.Ok && text.length <= textMax) this.keep(text);
    return status;
  }

  private keep(text: string): void {
    if (this.fresh.size >= entriesMax) {
      this.stale = this.fresh;
      this.fresh = new Set();
    }
    this.fresh.add(text);
  }
}
