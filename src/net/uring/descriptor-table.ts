/** Descriptors above are not written down: a thread with so many has other troubles when it dies. */
const descriptorsMax = 1 << 20;

/**
 * Which descriptors a thread has open, in memory that outlives the thread. They belong to the process, so those of a
 * thread that died of a bug would stay: its listeners would take connections that nobody serves.
 */
export class DescriptorTable {
  readonly shared: SharedArrayBuffer;
  private readonly bits: Uint32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(descriptorsMax / 8)) {
    this.shared = shared;
    this.bits = new Uint32Array(shared);
  }

  opened(fd: number): void {
    if (fd < descriptorsMax) this.bits[fd >> 5] |= 1 << (fd & 31);
  }

  closed(fd: number): void {
    if (fd < descriptorsMax) this.bits[fd >> 5] &= ~(1 << (fd & 31));
  }

  /** Forgets all that are open. */
  takeAll(): number[] {
    const open: number[] = [];
    for (let word = 0; word < this.bits.length; word++) {
      if (this.bits[word] === 0) continue;
      for (let bit = 0; bit < 32; bit++) if ((this.bits[word] & (1 << bit)) !== 0) open.push(word * 32 + bit);
      this.bits[word] = 0;
    }
    return open;
  }
}
