import type { FieldPlan } from '../schema/message-plan.ts';

interface Step {
  readonly field: FieldPlan;
  readonly isList: boolean;
  /** Elements of a list so far. */
  count: number;
}

/** Where in the message a writer stands; what Envoy's error messages begin with. */
export class FieldLocation {
  private steps: Step[];

  constructor() {
    this.steps = [];
  }

  enter(field: FieldPlan): void {
    if (field.isRepeated) {
      const list = this.steps[this.steps.length - 1];
      if (list !== undefined && list.isList) list.count++;
    }
    this.steps.push({ field, isList: false, count: 0 });
  }

  enterList(field: FieldPlan): void {
    this.steps.push({ field, isList: true, count: 0 });
  }

  leave(): void {
    this.steps.pop();
  }

  /** For a message of its own within the message: what an Any holds. */
  suspend(): () => void {
    const { steps } = this;
    this.steps = [];
    return () => {
      this.steps = steps;
    };
  }

  /** `authors[1].name` */
  text(): string {
    let text = '';
    let parent: FieldPlan | null = null;
    for (const { field, isList, count } of this.steps) {
      // An element has its list's field, whose name is there already.
      if (!field.isRepeated || parent !== field) text += text === '' ? field.name : `.${field.name}`;
      if (isList && count > 0) text += `[${count - 1}]`;
      parent = field;
    }
    return text;
  }
}
