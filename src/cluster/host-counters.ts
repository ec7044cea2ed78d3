/**
 * What one worker counts of one host: a block of doubles in shared memory, made when the host is first used, written
 * by plain stores and read by the main thread when `/clusters` is asked for.
 */
export const HostStat = {
  CxActive: 0,
  CxConnectFail: 1,
  CxTotal: 2,
  RqActive: 3,
  RqError: 4,
  RqPendingActive: 5,
  RqSuccess: 6,
  RqTimeout: 7,
  RqTotal: 8,
} as const;
export type HostStat = (typeof HostStat)[keyof typeof HostStat];

/** Index → name as `/clusters` prints it. */
export const hostStatNames = [
  'cx_active',
  'cx_connect_fail',
  'cx_total',
  'rq_active',
  'rq_error',
  'rq_pending_active',
  'rq_success',
  'rq_timeout',
  'rq_total',
] as const;

/** Doubles per block. */
export const hostStatCount = hostStatNames.length;

/** 512 hosts, 36 KiB. */
const blocksPerSlab = 512;

/** What a worker tells the main thread: where a host's block is, or that the host is gone. */
export type HostBlockMessage =
  | {
      readonly kind: 'opened';
      readonly cluster: string;
      /** `hostKeys` of the cluster's hosts. */
      readonly host: string;
      readonly slab: SharedArrayBuffer;
      /** In doubles. */
      readonly offset: number;
    }
  | { readonly kind: 'closed'; readonly cluster: string; readonly host: string };

/** Carries a message to the main thread; `postMessage` in a worker. */
export type HostBlockPublisher = (message: HostBlockMessage) => void;

/** One thread's blocks. */
export class HostCounters {
  private readonly publish: HostBlockPublisher;
  private readonly free: Float64Array[];
  private slab: SharedArrayBuffer | null;
  private used: number;

  constructor(publish: HostBlockPublisher) {
    this.publish = publish;
    this.free = [];
    this.slab = null;
    this.used = 0;
  }

  /** A block of zeros. */
  open(cluster: string, host: string): Float64Array {
    const block = this.free.pop() ?? this.allot();
    block.fill(0);
    const offset = block.byteOffset / Float64Array.BYTES_PER_ELEMENT;
    this.publish({ kind: 'opened', cluster, host, slab: block.buffer as SharedArrayBuffer, offset });
    return block;
  }

  /** Nothing will write to `block` any more. Messages arrive in order, so it may be opened again at once. */
  close(cluster: string, host: string, block: Float64Array): void {
    this.publish({ kind: 'closed', cluster, host });
    this.free.push(block);
  }

  private allot(): Float64Array {
    if (this.slab === null || this.used === blocksPerSlab) {
      this.slab = new SharedArrayBuffer(blocksPerSlab * hostStatCount * Float64Array.BYTES_PER_ELEMENT);
      this.used = 0;
    }
    const offset = this.used++ * hostStatCount * Float64Array.BYTES_PER_ELEMENT;
    return new Float64Array(this.slab, offset, hostStatCount);
  }
}
