/** What the reader of a gzip member's head waits for (RFC 1952 section 2.3). */
const Part = {
  Fixed: 0,
  ExtraLow: 1,
  ExtraHigh: 2,
  Extra: 3,
  Name: 4,
  Comment: 5,
  Checksum: 6,
  Done: 7,
  Wrong: 8,
} as const;
type Part = (typeof Part)[keyof typeof Part];

const Flag = { Checksum: 2, Extra: 4, Name: 8, Comment: 16, Reserved: 0xe0 } as const;

const fixedBytes = 10;
const magic = [0x1f, 0x8b, 8];

/** Reads the head of a gzip member, in whatever pieces it comes, and keeps nothing of it. */
export class GzipHeader {
  private part: Part;
  private flags: number;
  /** Bytes of this part that have come, or of the extra field that are to come. */
  private count: number;

  constructor() {
    this.part = Part.Fixed;
    this.flags = 0;
    this.count = 0;
  }

  get isRead(): boolean {
    return this.part === Part.Done;
  }

  get isWrong(): boolean {
    return this.part === Part.Wrong;
  }

  /** @returns how many bytes of `chunk`, from `at` on, belong to the head */
  read(chunk: Uint8Array, at: number): number {
    let i = at;
    while (i < chunk.length && this.part < Part.Done) this.take(chunk[i++]);
    return i - at;
  }

  private take(byte: number): void {
    switch (this.part) {
      case Part.Fixed:
        this.takeFixed(byte);
        return;
      case Part.ExtraLow:
        this.count = byte;
        this.part = Part.ExtraHigh;
        return;
      case Part.ExtraHigh:
        this.count |= byte << 8;
        this.part = Part.Extra;
        if (this.count === 0) this.goOn();
        return;
      case Part.Extra:
        this.count--;
        if (this.count === 0) this.goOn();
        return;
      case Part.Name:
      case Part.Comment:
        if (byte === 0) this.goOn();
        return;
      case Part.Checksum:
        this.count++;
        if (this.count === 2) this.part = Part.Done;
        return;
      case Part.Done:
      case Part.Wrong:
    }
  }

  private takeFixed(byte: number): void {
    if (this.count < magic.length && byte !== magic[this.count]) this.part = Part.Wrong;
    if (this.count === magic.length) this.flags = byte;
    this.count++;
    if ((this.flags & Flag.Reserved) !== 0) this.part = Part.Wrong;
    if (this.part === Part.Fixed && this.count === fixedBytes) this.goOn();
  }

  /** To the next part that the flags say there is. */
  private goOn(): void {
    const { part, flags } = this;
    this.count = 0;
    if (part < Part.ExtraLow && (flags & Flag.Extra) !== 0) this.part = Part.ExtraLow;
    else if (part < Part.Name && (flags & Flag.Name) !== 0) this.part = Part.Name;
    else if (part < Part.Comment && (flags & Flag.Comment) !== 0) this.part = Part.Comment;
    else this.part = (flags & Flag.Checksum) === 0 ? Part.Done : Part.Checksum;
  }
}
