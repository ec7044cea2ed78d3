/** Descriptors above are not written down: a thread with so many has other troubles when it dies. */
const descriptorsMax = 1 << 20;
const words = descriptorsMax / 32;

/** Ring memory that is mapped: two areas, each an address in halves and a size. */
const areasMax = 2;
const areaWords = 3;

export interface MappedArea {
  readonly address: bigint;
  readonly size: number;
}

/** What a thread had open when it ended. */
export interface LeftOpen {
  readonly descriptors: readonly number[];
  readonly areas: readonly MappedArea[];
}

/**
 * What a thread has open, in memory that outlives the thread. Descriptors and mappings belong to the process, so those of
 * a thread that died of a bug would stay: its listeners would take connections that nobody serves.
 */
export class DescriptorTable {
  readonly shared: SharedArrayBuffer;
  private readonly bits: Uint32Array;

  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer((words + areasMax * areaWords) * 4)) {
    this.shared = shared;
    this.bits = new Uint32Array(shared);
  }

  opened(fd: number): void {
    if (fd < descriptorsMax) this.bits[fd >> 5] |= 1 << (fd & 31);
  }

  closed(fd: number): void {
    if (fd < descriptorsMax) this.bits[fd >> 5] &= ~(1 << (fd & 31));
  }

  /** A ring lives as long as its memory is mapped, whoever closes its descriptor. */
  mapped(areas: readonly MappedArea[]): void {
    areas.forEach(({ address, size }, index) => {
      const at = words + index * areaWords;
      this.bits[at] = Number(address & 0xffff_ffffn);
      this.bits[at + 1] = Number(address >> 32n);
      this.bits[at + 2] = size;
    });
  }

  /** Reads and forgets everything. */
  takeAll(): LeftOpen {
    const { bits } = this;
    const descriptors: number[] = [];
    for (let word = 0; word < words; word++) {
      if (bits[word] === 0) continue;
      for (let bit = 0; bit < 32; bit++) if ((bits[word] & (1 << bit)) !== 0) descriptors.push(word * 32 + bit);
    }
    const areas: MappedArea[] = [];
    for (let at = words; at < bits.length; at += areaWords) {
      const [low, high, size] = bits.subarray(at, at + areaWords);
      if (size > 0) areas.push({ address: (BigInt(high) << 32n) | BigInt(low), size });
    }
    bits.fill(0);
    return { descriptors, areas };
  }
}
