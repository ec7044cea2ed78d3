/** Filter state whose text is not its JSON; any other value of `Outcome.filterState` is its own. Envoy's `Object`. */
export abstract class FilterStateObject {
  /** `%FILTER_STATE(key:PLAIN)%`; a byte per character. */
  abstract toPlain(): string;
  /** `%FILTER_STATE(key:TYPED)%`: the JSON of its message. */
  abstract toJson(): unknown;
}

/**
 * A text that upstream connections get to know: an internal listener at their other end has it as filter state. Envoy's
 * `SharedWithUpstreamConnection`.
 */
export class SharedText extends FilterStateObject {
  readonly text: string;
  /** Connections are shared only by those whose text is the same. */
  readonly isHashable: boolean;
  /** The internal listener's upstream connections get to know it, too. */
  readonly isTransitive: boolean;

  constructor(text: string, isHashable: boolean, isTransitive: boolean) {
    super();
    this.text = text;
    this.isHashable = isHashable;
    this.isTransitive = isTransitive;
  }

  toPlain(): string {
    return this.text;
  }

  toJson(): string {
    return this.text;
  }
}

/** Null: it is no text. */
export function stateText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value instanceof SharedText ? value.text : null;
}
