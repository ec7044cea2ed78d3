/** One reason why a configuration is refused. */
export interface Reason {
  /** Field path from the root message, in proto names: `static_resources.listeners[0].address`. */
  readonly path: string;
  /** What is wrong, what was found and what is allowed, in one sentence without a full stop. */
  readonly message: string;
}

/** What Envoy has and sekisho has not: every such reason says so in these words. */
export function isAboutSupport(reason: Reason): boolean {
  return reason.message.includes('supported by sekisho');
}

/**
 * Collects every reason while a message is decoded, with the path to where the decoder stands.
 * `at` returns a view of the same list one step further down.
 */
export class Reasons {
  readonly path: string;
  readonly list: Reason[];
  /** What must be there besides for what is decoded, whatever its kind: for those who began, if it is not refused. */
  readonly needs: object[];

  constructor(path = '', list: Reason[] = [], needs: object[] = []) {
    this.path = path;
    this.list = list;
    this.needs = needs;
  }

  /** `reasons.at('clusters', 3)` stands at `….clusters[3]`. */
  at(field: string, index?: number | string): Reasons {
    const step = index === undefined ? field : `${field}[${index}]`;
    return new Reasons(this.path === '' ? step : `${this.path}.${step}`, this.list, this.needs);
  }

  /** Where this stands at a list: `reasons.item(3)` stands at `…[3]`. */
  item(index: number): Reasons {
    return new Reasons(`${this.path}[${index}]`, this.list, this.needs);
  }

  add(message: string): void {
    this.list.push({ path: this.path, message });
  }

  /** A field that exists in Envoy and is not supported here yet. */
  unsupported(field: string, what = 'is not supported by sekisho'): void {
    this.list.push({ path: this.at(field).path, message: `field '${field}' ${what}` });
  }

  get isEmpty(): boolean {
    return this.list.length === 0;
  }
}
