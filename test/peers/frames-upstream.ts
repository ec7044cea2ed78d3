import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { bytesOfLine, preface, typeNames } from '../wire/h2-frames.ts';
import { codeName } from './h2-codes.ts';
import type { Script, Seen } from './upstream.ts';

const frameHead = 9;

/**
 * An HTTP/2 origin that answers each HEADERS with a step's `frames`, exactly. Of requests it sees streams, content and
 * resets; header blocks are not read.
 */
export class FramesUpstream {
  private readonly name: string;
  private readonly server: Server;
  private readonly script: Script;
  private readonly sockets = new Set<Socket>();

  constructor(name: string, script: Script) {
    this.name = name;
    this.script = script;
    script.join(this);
    this.server = createServer((socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
      this.serve(socket);
    });
  }

  async listen(port: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.server.once('error', reject);
    this.server.listen(port, '127.0.0.1', resolve);
    await promise;
  }

  close(): void {
    this.server.close();
    this.hangUp();
  }

  /** Closes every connection. */
  hangUp(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  private serve(socket: Socket): void {
    const streams = new Map<number, Seen>();
    let bytes = Buffer.alloc(0);
    let skipped = preface.length;
    socket.write(bytesOfLine('SETTINGS'));
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      const taken = Math.min(skipped, bytes.length);
      skipped -= taken;
      bytes = bytes.subarray(taken);
      while (bytes.length >= frameHead && bytes.length >= frameHead + bytes.readUIntBE(0, 3)) {
        const end = frameHead + bytes.readUIntBE(0, 3);
        this.take(socket, streams, bytes.subarray(0, end));
        bytes = bytes.subarray(end);
      }
    });
  }

  private take(socket: Socket, streams: Map<number, Seen>, frame: Buffer): void {
    const id = frame.readUInt32BE(5);
    const isEnd = (frame[4] & 1) === 1;
    const seen = streams.get(id);
    switch (typeNames[frame[3]]) {
      case 'SETTINGS':
        if (!isEnd) socket.write(bytesOfLine('SETTINGS ack'));
        break;
      case 'HEADERS':
        if (seen === undefined) streams.set(id, this.begin(socket, id, isEnd));
        else seen.isComplete = true;
        break;
      case 'DATA':
        if (seen === undefined) break;
        seen.body += frame.toString('latin1', frameHead);
        seen.isComplete ||= isEnd;
        break;
      case 'RST_STREAM':
        if (seen !== undefined) seen.trailers = [['reset', codeName(frame.readUInt32BE(frameHead))]];
        break;
      default:
    }
  }

  private begin(socket: Socket, id: number, isComplete: boolean): Seen {
    const connection = this.script.connectionNumber(socket);
    const seen: Seen = {
      upstream: this.name,
      line: 'HEADERS',
      headers: [],
      body: '',
      trailers: [],
      isComplete,
      connection,
    };
    this.script.seen.push(seen);
    void this.answer(socket, id, this.script.next().frames ?? ['HEADERS {id} end :status=200']);
    return seen;
  }

  private async answer(socket: Socket, id: number, frames: readonly (string | number)[]): Promise<void> {
    for (const segment of frames) {
      if (typeof segment === 'number') await sleep(segment);
      else if (segment === 'end') socket.end();
      else if (segment === 'reset') socket.resetAndDestroy();
      else socket.write(bytesOfLine(segment.replaceAll('{id}', String(id))));
    }
  }
}
