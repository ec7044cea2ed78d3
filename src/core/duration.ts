/** `google.protobuf.Duration`, as protobuf-es shapes it. */
export interface ProtoDuration {
  readonly seconds: bigint;
  readonly nanos: number;
}

/** Milliseconds with fractions; `otherwise` where the field is absent. */
export function durationMs(duration: ProtoDuration | undefined, otherwise: number): number {
  return duration === undefined ? otherwise : Number(duration.seconds) * 1000 + duration.nanos / 1e6;
}
