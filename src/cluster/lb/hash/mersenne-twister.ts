const size = 624;
const middle = 397;

/** `std::mt19937`: 32-bit numbers, the same for the same seed wherever they are drawn. */
export class MersenneTwister {
  private readonly state: Uint32Array;
  private next: number;

  /** `seed`: an unsigned 32-bit number. */
  constructor(seed: number) {
    const state = new Uint32Array(size);
    state[0] = seed;
    for (let i = 1; i < size; i++) {
      const before = state[i - 1] ^ (state[i - 1] >>> 30);
      state[i] = Math.imul(before, 1812433253) + i;
    }
    this.state = state;
    this.next = size;
  }

  draw(): number {
    if (this.next === size) this.twist();
    let value = this.state[this.next++];
    value ^= value >>> 11;
    value ^= (value << 7) & 0x9d2c5680;
    value ^= (value << 15) & 0xefc60000;
    return (value ^ (value >>> 18)) >>> 0;
  }

  private twist(): void {
    const { state } = this;
    for (let i = 0; i < size; i++) {
      const mixed = (state[i] & 0x80000000) | (state[(i + 1) % size] & 0x7fffffff);
      state[i] = state[(i + middle) % size] ^ (mixed >>> 1) ^ ((mixed & 1) === 0 ? 0 : 0x9908b0df);
    }
    this.next = 0;
  }
}
