import type { Reasons } from './rejection.ts';
import type { RuntimeView } from './runtime-view.ts';

/** `google.protobuf.Any`, as protobuf-es shapes it. */
export interface PackedMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** An extension as plain data: `kind` is the message's full name, e.g. `envoy.extensions.filters.http.fault.v3.HTTPFault`. */
export interface ExtensionData {
  readonly name: string;
  readonly kind: string;
  readonly data: unknown;
}

/** A filter of HTTP streams. */
export interface StreamFilterData extends ExtensionData {
  /** Off unless a route's FilterConfig switches it on. */
  readonly disabled: boolean;
}

/** Turns one message type into plain data, or adds reasons. Main thread only. */
export interface ExtensionDecoder {
  /** Full name of the message. */
  readonly kind: string;
  /** `category`: where the message stands, for what may stand in several places and holds others of the same place. */
  decode(bytes: Uint8Array, reasons: Reasons, extensions: Extensions, category?: string): unknown;
}

/**
 * How a `decode.ts` opens the extensions inside its own message. The table behind it is filled in `control/`; a type
 * that no table entry names is refused by name.
 */
export interface Extensions {
  /** The configuration's own runtime, for the keys that decide what is accepted; absent: there is none. */
  runtime?: RuntimeView;
  /** Which secrets what is decoded needs: `SecretSources` of `identity/`; absent: none may be named. */
  secrets?: object;
  /** Which route configurations it needs: `RouteSources` of `proxy/http`; absent: none may be named. */
  routes?: object;
  /** Which scopes of routes it needs: `ScopeSources` of `proxy/http`; absent: none may be named. */
  scopes?: object;
  /** Which configurations of extensions it needs: `ExtensionSources` of `listener/`; absent: none may be named. */
  configs?: object;
  /** DNS caches that the configuration has named so far, by name: messages of their configuration. Absent: nobody compares. */
  dnsCaches?: Map<string, object>;
  /** The tracer of the bootstrap, for who names none, as its decoder made it; absent: there is none. */
  tracer?: unknown;
  /** Told what a resource that has been taken needs besides (`Reasons.needs`); absent: nobody makes it. */
  onNeeds?: (needs: readonly object[]) => void;
  /** Whether a message type can be opened at all, for what is marked `is_optional`. */
  knows?(typeUrl: string): boolean;
  /** Loads the decoders of these message types, before what names them is opened; absent: nothing need be loaded. */
  load?(kinds: Iterable<string>): Promise<void>;
  /**
   * `category` as Envoy's docs say it (`envoy.filters.http`), for the message. `field` is where the extension lies from
   * `reasons`: `typed_config` unless told, null when it lies right there, as a value of a map does.
   * @returns null when it is refused; reasons were added
   */
  open(
    category: string,
    name: string,
    config: PackedMessage | undefined,
    reasons: Reasons,
    field?: string | null,
  ): ExtensionData | null;
}
