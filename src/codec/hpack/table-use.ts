/** What reading a header block had to do with the dynamic table: enough to do it again without reading the block. */
export class TableUse {
  /** `DecoderTable.changes` when the block referred to its entries; -1: what it says is the same whatever is there. */
  changes: number;
  /** Entries that the block adds. */
  readonly names: string[];
  readonly values: string[];
  readonly traits: number[];
  /** It must be read each time all the same: it changes the table's size, or adds what it refers to. */
  isOnce: boolean;

  constructor() {
    this.changes = -1;
    this.names = [];
    this.values = [];
    this.traits = [];
    this.isOnce = false;
  }
}
