import { isFlagOn, type RuntimeView } from '../../core/runtime-view.ts';
import type { Headers } from '../../core/headers.ts';
import { CompressorLibrary } from '../compression/compressor-library.ts';
import type { FilterContext } from '../filter.ts';
import type { CompressorData, CompressorPerRouteData, DirectionData } from './compressor-data.ts';
import { ChoiceStats, DirectionStats } from './compressor-stats.ts';

/** One direction of a compressor filter. */
export class Direction {
  readonly stats: DirectionStats;
  private readonly data: DirectionData | null;
  private readonly contentTypes: ReadonlySet<string>;
  private readonly runtime: RuntimeView;

  /** @param data null: the direction is off, but for its stats */
  constructor(data: DirectionData | null, stats: DirectionStats, runtime: RuntimeView) {
    this.stats = stats;
    this.data = data;
    this.contentTypes = new Set(data?.contentTypes);
    this.runtime = runtime;
  }

  get isOn(): boolean {
    return this.data !== null && isFlagOn(this.runtime, this.data.enabled);
  }

  /** A body of unknown length is long enough. */
  isLongEnough(headers: Headers): boolean {
    const length = headers.get('content-length');
    if (length === undefined || length === '') return true;
    const isEnough = /^\d+$/.test(length) && Number(length) >= this.data!.contentLengthMin;
    if (!isEnough) this.stats.tooSmall.inc();
    return isEnough;
  }

  allowsType(headers: Headers): boolean {
    const type = headers.get('content-type');
    return type === undefined || this.hasType(type);
  }

  hasType(type: string): boolean {
    const semicolon = type.indexOf(';');
    const bare = semicolon < 0 ? type : type.slice(0, semicolon);
    return this.contentTypes.has(bare.trim().toLowerCase());
  }
}

/** One compressor filter of a chain. */
export class CompressorSettings {
  readonly filterName: string;
  readonly data: CompressorData;
  readonly library: CompressorLibrary;
  readonly request: Direction;
  readonly response: Direction;
  readonly choiceStats: ChoiceStats;
  readonly uncompressibleCodes: ReadonlySet<number>;

  constructor(data: CompressorData, context: FilterContext) {
    this.filterName = context.filterName;
    this.data = data;
    this.library = new CompressorLibrary(data.library);
    const scope = context.stats.scope('compressor').scope(this.library.statsPrefix);
    this.request = new Direction(data.request, new DirectionStats(scope.scope('request')), context.runtime);
    const responses = new DirectionStats(data.namesResponseStats ? scope.scope('response') : scope);
    this.response = new Direction(data.response, responses, context.runtime);
    this.choiceStats = new ChoiceStats(scope);
    this.uncompressibleCodes = new Set(data.response.uncompressibleCodes);
  }
}

/** A route's word on a compressor filter. */
export class CompressorRoute {
  readonly data: CompressorPerRouteData;
  /** Null: the filter's. */
  readonly library: CompressorLibrary | null;

  constructor(data: CompressorPerRouteData) {
    this.data = data;
    this.library = data.library === null ? null : new CompressorLibrary(data.library);
  }
}
