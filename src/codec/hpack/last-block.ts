/** Positions remembered: a message has about ten fields. */
const positionsMax = 20;

/**
 * By position in a block, the field that stood there last and was written as one index: messages on a connection
 * resemble each other, and two comparisons cost less than a search. Holds strings of table entries only, and few.
 */
export class LastBlock {
  private readonly names: string[];
  private readonly values: string[];
  private readonly references: number[];

  constructor() {
    this.names = [];
    this.values = [];
    this.references = [];
  }

  /** What the field was written as; 0: not known. */
  recall(position: number, name: string, value: string): number {
    return position < this.names.length && this.names[position] === name && this.values[position] === value
      ? this.references[position]
      : 0;
  }

  keep(position: number, name: string, value: string, reference: number): void {
    if (position >= positionsMax) return;
    while (this.names.length <= position) {
      this.names.push('');
      this.values.push('');
      this.references.push(0);
    }
    this.names[position] = name;
    this.values[position] = value;
    this.references[position] = reference;
  }

  clear(): void {
    this.references.fill(0);
  }
}
