/** Whom tokens may be meant for. A scheme in front and a slash at the end do not count, as in Envoy. */
export class Audiences {
  private readonly allowed: ReadonlySet<string>;

  /** None: any. */
  constructor(audiences: readonly string[]) {
    this.allowed = new Set(audiences.map(bare));
  }

  /** Whether one of a token's is among them. */
  allow(audiences: readonly string[]): boolean {
    return this.allowed.size === 0 || audiences.some((audience) => this.allowed.has(bare(audience)));
  }
}

function bare(audience: string): string {
  return audience.replace(/^https?:\/\//, '').replace(/\/$/, '');
}
