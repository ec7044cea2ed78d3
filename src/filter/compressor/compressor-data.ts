import type { RuntimeFlagData } from '../../core/runtime-view.ts';
import type { CompressorLibraryData } from '../compression/library-data.ts';

/** What requests and responses have in common. */
export interface DirectionData {
  readonly enabled: RuntimeFlagData;
  readonly contentLengthMin: number;
  /** Lower-case. */
  readonly contentTypes: readonly string[];
}

export interface ResponseDirectionData extends DirectionData {
  readonly disablesOnEtag: boolean;
  readonly weakensEtag: boolean;
  readonly removesAcceptEncoding: boolean;
  readonly uncompressibleCodes: readonly number[];
  readonly tellsStatus: boolean;
}

/** `envoy.extensions.filters.http.compressor.v3.Compressor` as plain data. */
export interface CompressorData {
  readonly library: CompressorLibraryData;
  /** Null: requests go on as they are. */
  readonly request: DirectionData | null;
  readonly response: ResponseDirectionData;
  /** Whether the stats of responses stand under a name of their own: there is a `response_direction_config`. */
  readonly namesResponseStats: boolean;
  /** Of encodings that the client likes equally, this one. */
  readonly isFirstChoice: boolean;
}

/** `CompressorPerRoute` as plain data. */
export interface CompressorPerRouteData {
  /** Null: as the filter says. */
  readonly compressesResponses: boolean | null;
  readonly removesAcceptEncoding: boolean | null;
  readonly library: CompressorLibraryData | null;
}
