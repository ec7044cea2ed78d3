import type { Loop } from '../loop.ts';
import { BulkBuffer } from './bulk-buffer.ts';
import type { DescriptorTable } from './descriptor-table.ts';
import { openLibc, type Libc } from './libc.ts';
import { MessageWriter } from './message-writer.ts';
import { OsSockets } from './os-socket.ts';
import { OutgoingText } from './outgoing-text.ts';
import { ReceiveBuffers } from './receive-buffers.ts';
import { EntryFlag, Op, type Ring } from './ring.ts';
import type { UringTurns } from './uring-turns.ts';

const CancelFlag = { All: 1, Fd: 2 } as const;
const unheard = EntryFlag.SkipSuccess << 8;

/** What the sockets of one thread share. */
export class UringThread {
  readonly ring: Ring;
  readonly turns: UringTurns;
  readonly loop: Loop;
  readonly libc: Libc;
  readonly sockets: OsSockets;
  readonly buffers: ReceiveBuffers;
  readonly bulk: BulkBuffer;
  readonly outgoing: OutgoingText;
  readonly writer: MessageWriter;
  readonly descriptors: DescriptorTable;

  constructor(ring: Ring, turns: UringTurns, loop: Loop, descriptors: DescriptorTable) {
    this.ring = ring;
    this.turns = turns;
    this.loop = loop;
    this.libc = openLibc();
    this.sockets = new OsSockets(descriptors);
    this.buffers = new ReceiveBuffers(ring);
    this.bulk = new BulkBuffer();
    this.outgoing = new OutgoingText(ring);
    this.writer = new MessageWriter();
    this.descriptors = descriptors;
  }

  /** Closes with the turn's end, after what was requested before. `isAsked`: something of the socket's is under way. */
  closeSocket(fd: number, isAsked: boolean): void {
    const { ring } = this;
    // A descriptor's close alone does not end what is under way, which would keep the connection open.
    if (isAsked) ring.request(Op.AsyncCancel, fd, unheard, 0, 0, 0, CancelFlag.All | CancelFlag.Fd, 0, 0);
    this.descriptors.closed(fd);
    ring.request(Op.Close, fd, unheard, 0, 0, 0, 0, 0, 0);
  }
}
