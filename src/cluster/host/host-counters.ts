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

/** What a worker tells the main thread: where a host's block is, or that nothing writes to it any more. */
export type HostBlockMessage =
  | {
      readonly kind: 'opened';
      /** Unique in its worker among the open ones. */
      readonly block: number;
      readonly cluster: string;
      /** One of `hostKeys` of the cluster's hosts. */
      readonly host: string;
      readonly slab: SharedArrayBuffer;
      /** In doubles. */
      readonly offset: number;
    }
  | { readonly kind: 'closed'; readonly block: number };

/** Carries a message to the main thread; `postMessage` in a worker. */
export type HostBlockPublisher = (message: HostBlockMessage) => void;

export interface HostBlock {
  readonly id: number;
  /** Index: HostStat. */
  readonly values: Float64Array;
}

/** One thread's blocks. */
export class HostCounters {
  private readonly publish: HostBlockPublisher;
  private readonly free: HostBlock[];
  private slab: SharedArrayBuffer | null;
  private used: number;
  private count: number;

  constructor(publish: HostBlockPublisher) {
    this.publish = publish;
    this.free = [];
    this.slab = null;
    this.used = 0;
    this.count = 0;
  }

  /** A block of zeros. */
  open(cluster: string, host: string): HostBlock {
    const block = this.free.pop() ?? this.allot();
    const { id, values } = block;
    values.fill(0);
    const offset = values.byteOffset / Float64Array.BYTES_PER_ELEMENT;
    this.publish({ kind: 'opened', block: id, cluster, host, slab: values.buffer as SharedArrayBuffer, offset });
    return block;
  }

  /** Nothing will write to it any more. Messages arrive in order, so it may be opened again at once. */
  close(block: HostBlock): void {
    this.publish({ kind: 'closed', block: block.id });
    this.free.push(block);
  }

  private allot(): HostBlock {
    if (this.slab === null || this.used === blocksPerSlab) {
      this.slab = new SharedArrayBuffer(blocksPerSlab * hostStatCount * Float64Array.BYTES_PER_ELEMENT);
      this.used = 0;
    }
    const offset = this.used++ * hostStatCount * Float64Array.BYTES_PER_ELEMENT;
    return { id: this.count++, values: new Float64Array(this.slab, offset, hostStatCount) };
  }
}
