/** `envoy.type.v3.FractionalPercent`: a share of all requests. */
export interface FractionData {
  readonly numerator: number;
  /** 100, 10 000 or 1 000 000. */
  readonly denominator: number;
}

/** `envoy.config.core.v3.RuntimeFractionalPercent` */
export interface RuntimeFractionData extends FractionData {
  /** Empty: the fraction is fixed. */
  readonly runtimeKey: string;
}
