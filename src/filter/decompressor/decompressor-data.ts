import type { RuntimeFlagData } from '../../core/runtime-view.ts';
import type { DecompressorLibraryData } from '../compression/library-data.ts';

/** What requests and responses have in common. */
export interface DirectionData {
  readonly enabled: RuntimeFlagData;
  /** `cache-control: no-transform` keeps nothing as it is. */
  readonly ignoresNoTransform: boolean;
}

/** `envoy.extensions.filters.http.decompressor.v3.Decompressor` as plain data. */
export interface DecompressorData {
  readonly library: DecompressorLibraryData;
  readonly request: DirectionData;
  readonly response: DirectionData;
  /** Upstreams are told of the encoding. */
  readonly advertises: boolean;
}
