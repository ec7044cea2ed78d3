import type { Jwt } from './jwt.ts';

/** Envoy's defaults. */
const entriesDefault = 100;
const tokenBytesDefault = 4096;

/** Tokens whose signature has been found good, the least recently used of which goes first. */
export class JwtCache {
  private readonly tokens: Map<string, Jwt>;
  private readonly entriesMax: number;
  private readonly tokenBytesMax: number;

  /** 0: Envoy's default. */
  constructor(entriesMax: number, tokenBytesMax: number) {
    this.tokens = new Map();
    this.entriesMax = entriesMax || entriesDefault;
    this.tokenBytesMax = tokenBytesMax || tokenBytesDefault;
  }

  get(token: string): Jwt | null {
    const jwt = this.tokens.get(token);
    if (jwt === undefined) return null;
    this.tokens.delete(token);
    this.tokens.set(token, jwt);
    return jwt;
  }

  /** Longer tokens than the limit are not kept. */
  add(token: string, jwt: Jwt): void {
    if (token.length > this.tokenBytesMax) return;
    this.tokens.set(token, jwt);
    if (this.tokens.size <= this.entriesMax) return;
    const [oldest] = this.tokens.keys();
    this.tokens.delete(oldest);
  }

  delete(token: string): void {
    this.tokens.delete(token);
  }
}
