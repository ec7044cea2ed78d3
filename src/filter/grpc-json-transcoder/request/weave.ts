import type { FieldPlan } from '../schema/message-plan.ts';

/** A value of the path or the query; null: it is no UTF-8. */
export type BoundText = string | null;

/** Values of the path and the query that become fields of a message, beside what its body says. */
export class Weave {
  /** By the name of a field of this message, in the order of their first mention. */
  readonly values: Map<string, { readonly field: FieldPlan; readonly texts: BoundText[] }>;
  readonly messages: Map<string, { readonly field: FieldPlan; readonly weave: Weave }>;

  constructor() {
    this.values = new Map();
    this.messages = new Map();
  }

  bind(path: readonly FieldPlan[], text: BoundText): void {
    const [field] = path;
    if (field === undefined) return;
    if (path.length > 1) {
      let inner = this.messages.get(field.name);
      if (inner === undefined) this.messages.set(field.name, (inner = { field, weave: new Weave() }));
      inner.weave.bind(path.slice(1), text);
      return;
    }
    const known = this.values.get(field.name);
    if (known === undefined) this.values.set(field.name, { field, texts: [text] });
    else known.texts.push(text);
  }

  get isEmpty(): boolean {
    return this.values.size === 0 && this.messages.size === 0;
  }
}
