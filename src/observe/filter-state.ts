/** Filter state whose text is not its JSON; any other value of `Outcome.filterState` is its own. Envoy's `Object`. */
export abstract class FilterStateObject {
  /** `%FILTER_STATE(key:PLAIN)%`; a byte per character. */
  abstract toPlain(): string;
  /** `%FILTER_STATE(key:TYPED)%`: the JSON of its message. */
  abstract toJson(): unknown;
}
