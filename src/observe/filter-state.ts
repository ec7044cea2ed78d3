/** Filter state whose text is not its JSON; any other value of `Outcome.filterState` is its own. Envoy's `Object`. */
export abstract class FilterStateObject {
  /** `%FILTER_STATE(key:PLAIN)%`; a byte per character. */
  abstract toPlain(): string;
  /** `%FILTER_STATE(key:TYPED)%`: the JSON of its message; undefined: it has none. */
  abstract toJson(): unknown;

  /** `%FILTER_STATE(key:FIELD:name)%`; undefined: it has no such field. */
  field(_name: string): string | undefined {
    return undefined;
  }
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

  /** What it is where it is shared no further. */
  alone(): unknown {
    return this.text;
  }

  toPlain(): string {
    return this.text;
  }

  toJson(): unknown {
    return this.text;
  }
}

/** An IP address and its port, as `formatAddress` has it. Envoy's `AddressObject`, which has no message. */
export class AddressText extends FilterStateObject {
  readonly text: string;

  constructor(text: string) {
    super();
    this.text = text;
  }

  toPlain(): string {
    return this.text;
  }

  toJson(): undefined {
    return undefined;
  }
}

/** The same where upstream connections get to know it. */
export class SharedAddress extends SharedText {
  override alone(): AddressText {
    return new AddressText(this.text);
  }

  override toJson(): undefined {
    return undefined;
  }
}

/** Null: it is no text. */
export function stateText(value: unknown): string | null {
  if (typeof value === 'string') return value;
  return value instanceof SharedText || value instanceof AddressText ? value.text : null;
}
