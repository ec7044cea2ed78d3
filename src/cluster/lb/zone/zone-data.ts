/** Zone-aware routing as configured; durations none, percentages of 100. */
export interface ZoneData {
  /** So many requests of a hundred are routed by zone. */
  readonly routingEnabled: number;
  /** With fewer healthy hosts nobody looks at zones. */
  readonly clusterSizeMin: number;
  /** Everything stays in the own zone that has so many healthy hosts; 0: only what is its share. */
  readonly forcedSizeMin: number;
  /** What a zone's share is of: the number of healthy hosts, or their weights. */
  readonly basis: 'count' | 'weight';
}

/** Envoy's defaults, which hold wherever there is a local cluster. */
export const defaultZone: ZoneData = { routingEnabled: 100, clusterSizeMin: 6, forcedSizeMin: 0, basis: 'count' };
