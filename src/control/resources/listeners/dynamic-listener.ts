import type { ListenerData } from '../../../listener/listener-data.ts';
import { packedKinds } from '../../packed-kinds.ts';
import type { DecodedListener } from '../resource-decoding.ts';

/** Why a listener is not what its source wants it to be. */
export interface ListenerFault {
  readonly name: string;
  /** `envoy.config.listener.v3.Listener`. */
  readonly packed: Uint8Array;
  readonly details: string;
  readonly epochMs: number;
}

/** One version of a listener that came by LDS. */
export class DynamicListener {
  readonly decoded: DecodedListener;
  readonly packed: Uint8Array;
  readonly version: string;
  readonly updatedEpochMs: number;
  /** Under which what it needs is held. */
  readonly owner: string;
  /** Message names of the extensions that it names. */
  readonly kinds: readonly string[];
  /** When it need not wait for any of it. */
  ready: Promise<void>;
  isReady: boolean;

  constructor(decoded: DecodedListener, packed: Uint8Array, version: string, owner: string, updatedEpochMs: number) {
    this.decoded = decoded;
    this.packed = packed;
    this.version = version;
    this.owner = owner;
    this.updatedEpochMs = updatedEpochMs;
    this.kinds = [...packedKinds(packed)];
    this.ready = Promise.resolve();
    this.isReady = false;
  }

  get data(): ListenerData {
    return this.decoded.data;
  }

  get name(): string {
    return this.decoded.data.name;
  }

  isAs(packed: Uint8Array): boolean {
    return Buffer.from(this.packed).equals(packed);
  }
}
