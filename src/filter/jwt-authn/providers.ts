import type { Provider } from './provider.ts';

/** All issuers of a filter. */
export class Providers {
  readonly all: readonly Provider[];
  private readonly byName: ReadonlyMap<string, Provider>;
  private readonly byIssuer: ReadonlyMap<string, Provider>;

  constructor(all: readonly Provider[]) {
    this.all = all;
    this.byName = new Map(all.map((provider) => [provider.data.name, provider]));
    // The first of an issuer.
    this.byIssuer = new Map(all.toReversed().map((provider) => [provider.data.issuer, provider]));
  }

  /** Decoding has seen to it that there is one. */
  named(name: string): Provider {
    return this.byName.get(name)!;
  }

  /** Null: nobody knows that issuer, and nobody takes any. */
  ofIssuer(issuer: string): Provider | null {
    return this.byIssuer.get(issuer) ?? this.byIssuer.get('') ?? null;
  }
}
