import type { Counter, StatsScope } from '../../observe/stats/stats.ts';

/** What happens to the bodies of one direction. */
export class DirectionStats {
  readonly compressed: Counter;
  readonly notCompressed: Counter;
  readonly uncompressedBytes: Counter;
  readonly compressedBytes: Counter;
  readonly tooSmall: Counter;

  constructor(scope: StatsScope) {
    this.compressed = scope.counter('compressed');
    this.notCompressed = scope.counter('not_compressed');
    this.uncompressedBytes = scope.counter('total_uncompressed_bytes');
    this.compressedBytes = scope.counter('total_compressed_bytes');
    this.tooSmall = scope.counter('content_length_too_small');
  }
}

/** Of responses alone: how the encoding was chosen. */
export class ChoiceStats {
  readonly noAcceptHeader: Counter;
  readonly identity: Counter;
  readonly used: Counter;
  readonly overshadowed: Counter;
  readonly wildcard: Counter;
  readonly notValid: Counter;
  readonly etag: Counter;

  constructor(scope: StatsScope) {
    this.noAcceptHeader = scope.counter('no_accept_header');
    this.identity = scope.counter('header_identity');
    this.used = scope.counter('header_compressor_used');
    this.overshadowed = scope.counter('header_compressor_overshadowed');
    this.wildcard = scope.counter('header_wildcard');
    this.notValid = scope.counter('header_not_valid');
    this.etag = scope.counter('not_compressed_etag');
  }
}
