import type { TriggerData } from './overload-data.ts';

/** An action's or load shed point's triggers, and its state: that of the one which says most. */
export class Triggers {
  private readonly triggers: readonly TriggerData[];
  private readonly states: Float64Array;

  constructor(triggers: readonly TriggerData[]) {
    this.triggers = triggers;
    this.states = new Float64Array(triggers.length);
  }

  /** 0 to 1. */
  get state(): number {
    return Math.max(0, ...this.states);
  }

  /** A resource's pressure is `value` now. */
  update(resource: string, value: number): void {
    for (const [i, trigger] of this.triggers.entries())
      if (trigger.resource === resource) this.states[i] = stateAt(trigger, value);
  }
}

function stateAt({ from, to }: TriggerData, value: number): number {
  if (value >= to) return 1;
  return value <= from ? 0 : (value - from) / (to - from);
}
