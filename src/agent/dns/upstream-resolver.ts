import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { FramedReader, framed } from './framed-message.ts';
import { isAnswerTo, messageId } from './dns-message.ts';

const port = 53;
/** Each has a socket of its own, as answers to guessed numbers are to find none. */
const questionsMax = 2000;

/** The servers that the pod would have asked itself, asked over the protocol that the question came by. */
export class UpstreamResolver {
  private readonly servers: readonly string[];
  private readonly isParallel: boolean;
  private readonly timeoutMs: number;
  private readonly random: () => number;
  private readonly port: number;
  private count: number;

  constructor(servers: readonly string[], isParallel: boolean, timeoutMs: number, random: () => number, atPort = port) {
    this.servers = servers;
    this.isParallel = isParallel;
    this.timeoutMs = timeoutMs;
    this.random = random;
    this.port = atPort;
    this.count = 0;
  }

  /** Null: none has answered. */
  async ask(query: Uint8Array, isTcp: boolean): Promise<Uint8Array | null> {
    if (this.count >= questionsMax || this.servers.length === 0) return null;
    this.count++;
    try {
      const servers = shuffled(this.servers, this.random);
      if (this.isParallel) return await Promise.any(servers.map((server) => this.askOne(server, query, isTcp)));
      for (const server of servers) {
        const answer = await this.askOne(server, query, isTcp).catch(() => null);
        if (answer !== null) return answer;
      }
      return null;
    } catch {
      return null;
    } finally {
      this.count--;
    }
  }

  private askOne(server: string, query: Uint8Array, isTcp: boolean): Promise<Uint8Array> {
    return isTcp ? this.askTcp(server, query) : this.askUdp(server, query);
  }

  private askUdp(server: string, query: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
      const end = (error: Error | null, answer?: Uint8Array): void => {
        clearTimeout(timer);
        socket.removeAllListeners();
        socket.on('error', () => {});
        socket.close();
        if (answer === undefined) reject(error ?? new Error('closed'));
        else resolve(answer);
      };
      const timer = setTimeout(() => end(new Error('no answer')), this.timeoutMs);
      socket.on('error', (error) => end(error));
      // Connected, so that nobody else can answer.
      socket.on('connect', () => socket.send(query));
      socket.on('message', (answer) => {
        if (isAnswerTo(answer, messageId(query))) end(null, answer);
      });
      socket.connect(this.port, server);
    });
  }

  private askTcp(server: string, query: Uint8Array): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      const socket = connect(this.port, server);
      const timer = setTimeout(() => socket.destroy(new Error('no answer')), this.timeoutMs);
      const reader = new FramedReader((answer) => {
        if (!isAnswerTo(answer, messageId(query))) return;
        clearTimeout(timer);
        socket.destroy();
        resolve(answer);
      });
      socket.on('connect', () => socket.write(framed(query)));
      socket.on('data', (chunk: Buffer) => reader.read(chunk));
      socket.on('error', reject);
      socket.on('close', () => {
        clearTimeout(timer);
        reject(new Error('closed'));
      });
    });
  }
}

/** Each order is as likely as any other. */
export function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  const list = [...items];
  for (let i = list.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [list[i], list[other]] = [list[other], list[i]];
  }
  return list;
}
