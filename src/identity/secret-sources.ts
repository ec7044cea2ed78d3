import type { Extensions } from '../core/extension.ts';
import type { Reasons } from '../core/rejection.ts';
import type { SecretData } from './secret-data.ts';
import type { DecodedSecret, SecretSourceData } from './secret-source-data.ts';

/** One of `static_resources.secrets`. Like Envoy nobody minds what is wrong with it until it is named. */
export interface StaticSecret {
  /** `envoy.extensions.transport_sockets.tls.v3.Secret`. */
  readonly message: object;
  /** Where it stands. */
  readonly reasons: Reasons;
  /** Read once, when it is first named: undefined before, null where it cannot be used. */
  decoded: DecodedSecret | null | undefined;
}

/**
 * What decoding knows of secrets: the static ones, and the sources that what is decoded needs. It travels with the
 * decoders as `Extensions.secrets`. Main thread only.
 */
export class SecretSources {
  private readonly statics: Map<string, StaticSecret>;
  private pending: Map<string, SecretSourceData>;

  constructor() {
    this.statics = new Map();
    this.pending = new Map();
  }

  /** Of a decoder's extensions; null where no secrets may be named. */
  static of({ secrets }: Extensions): SecretSources | null {
    return secrets instanceof SecretSources ? secrets : null;
  }

  /** One of `static_resources.secrets`; false: there is one of this name and kind already. */
  addStatic(kind: SecretData['kind'], name: string, secret: StaticSecret): boolean {
    const key = staticKey(kind, name);
    if (this.statics.has(key)) return false;
    this.statics.set(key, secret);
    return true;
  }

  findStatic(kind: SecretData['kind'], name: string): StaticSecret | null {
    return this.statics.get(staticKey(kind, name)) ?? null;
  }

  /** Something that is being decoded needs it. */
  need(source: SecretSourceData): void {
    this.pending.set(source.key, source);
  }

  /** What was needed since it was last asked: whoever decodes a resource asks behind it, and so knows what it waits for. */
  take(): readonly SecretSourceData[] {
    const taken = [...this.pending.values()];
    if (taken.length > 0) this.pending = new Map();
    return taken;
  }
}

function staticKey(kind: SecretData['kind'], name: string): string {
  return `${kind}/${name}`;
}
