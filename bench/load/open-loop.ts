/**
 * A constant-rate client: request n is due at start + n / rate whether or not the answers before it have come, and its
 * latency counts from the moment it was due. A stalled proxy is charged for every request that it kept waiting, which
 * a closed loop forgives ("coordinated omission").
 *
 * `node bench/load/open-loop.ts '{"port":…,"rate":…,"connections":…,"seconds":…}'` prints one line of JSON.
 */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { setTimeout as sleep } from 'node:timers/promises';
import { MessageChannel, Worker } from 'node:worker_threads';

export interface OpenLoopLoad {
  readonly port: number;
  /** Requests per second. */
  readonly rate: number;
  readonly connections: number;
  readonly seconds: number;
  /** Over TLS. */
  readonly isSecure?: boolean;
}

export interface OpenLoopResult {
  readonly requests: number;
  readonly seconds: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late this client itself sent, at its 99th percentile: the error of the figures above. */
  readonly sendLagP99Ms: number;
}

const request = Buffer.from(
  'GET / HTTP/1.1\r\nhost: bench.example.com\r\nuser-agent: open-loop\r\naccept: */*\r\n\r\n',
);
const headEnd = '\r\n\r\n';

/** One keep-alive connection with at most one request under way. */
class Client {
  readonly socket: Socket;
  /** The event after which it can send. */
  readonly ready: string;
  private readonly schedule: Schedule;
  /** When the request under way was due; -1 when idle. */
  dueAt = -1;
  private received = '';

  constructor({ port, isSecure }: OpenLoopLoad, schedule: Schedule) {
    this.schedule = schedule;
    const raw = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket = isSecure === true ? connectTls({ socket: raw, rejectUnauthorized: false }) : raw;
    this.ready = isSecure === true ? 'secureConnect' : 'connect';
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => this.receive(text));
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.schedule.lost(this));
  }

  send(dueAt: number): void {
    this.dueAt = dueAt;
    this.socket.write(request);
  }

  private receive(text: string): void {
    this.received += text;
    const end = this.received.indexOf(headEnd);
    if (end < 0) return;
    const length = /content-length: *(\d+)/i.exec(this.received);
    if (length === null || this.received.length < end + headEnd.length + Number(length[1])) return;
    const isOk = this.received.startsWith('HTTP/1.1 200');
    this.received = '';
    this.schedule.answered(this, isOk);
  }
}

class Schedule {
  private readonly load: OpenLoopLoad;
  private readonly clients: Client[];
  private readonly idle: Client[];
  private readonly waiting: number[] = [];
  private readonly latencies: number[] = [];
  private readonly lags: number[] = [];
  private readonly total: number;
  private startedAt = 0;
  private sent = 0;
  private done = 0;
  private errors = 0;
  private isOver = false;

  constructor(load: OpenLoopLoad) {
    this.load = load;
    this.total = Math.round(load.rate * load.seconds);
    this.clients = Array.from({ length: load.connections }, () => new Client(load, this));
    this.idle = [...this.clients];
  }

  async run(): Promise<OpenLoopResult> {
    await Promise.all(this.clients.map(connected));
    const { port1, port2 } = new MessageChannel();
    const intervalMs = 1000 / this.load.rate;
    const pacer = new Worker(new URL('pacer.ts', import.meta.url), {
      workerData: { port: port2, intervalMs, ticks: this.total },
      transferList: [port2],
    });
    this.startedAt = performance.now() + 20;
    port1.on('message', () => this.sendDue());
    port1.postMessage(performance.timeOrigin + this.startedAt);
    await sleep(20 + this.load.seconds * 1000);
    this.sendDue();
    const until = performance.now() + 5000;
    while (this.done < this.total && performance.now() < until) await sleep(10);
    return this.finish(pacer);
  }

  answered(client: Client, isOk: boolean): void {
    this.latencies.push(performance.now() - client.dueAt);
    client.dueAt = -1;
    this.done++;
    if (!isOk) this.errors++;
    const next = this.waiting.shift();
    if (next === undefined) this.idle.push(client);
    else client.send(next);
  }

  lost(client: Client): void {
    if (this.isOver) return;
    this.errors++;
    if (client.dueAt >= 0) this.done++;
    const index = this.idle.indexOf(client);
    if (index >= 0) this.idle.splice(index, 1);
  }

  private sendDue(): void {
    const now = performance.now();
    while (this.sent < this.total) {
      const dueAt = this.startedAt + (this.sent * 1000) / this.load.rate;
      if (dueAt > now) return;
      this.sent++;
      this.lags.push(now - dueAt);
      const client = this.idle.shift();
      if (client === undefined) this.waiting.push(dueAt);
      else client.send(dueAt);
    }
  }

  private async finish(pacer: Worker): Promise<OpenLoopResult> {
    this.isOver = true;
    await pacer.terminate();
    const now = performance.now();
    for (const dueAt of this.waiting) this.latencies.push(now - dueAt);
    for (const client of this.clients) {
      if (client.dueAt >= 0) this.latencies.push(now - client.dueAt);
      client.socket.destroy();
    }
    const sorted = Float64Array.from(this.latencies).sort();
    return {
      requests: this.done,
      seconds: this.load.seconds,
      errors: this.errors + (this.total - this.done),
      p50Ms: percentile(sorted, 0.5),
      p99Ms: percentile(sorted, 0.99),
      p999Ms: percentile(sorted, 0.999),
      maxMs: percentile(sorted, 1),
      sendLagP99Ms: percentile(Float64Array.from(this.lags).sort(), 0.99),
    };
  }
}

function connected({ socket, ready }: Client): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(ready, resolve);
  socket.once('error', reject);
  return promise;
}

function percentile(sorted: Float64Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

if (import.meta.main) {
  const result = await new Schedule(JSON.parse(process.argv[2] ?? '{}') as OpenLoopLoad).run();
  console.log(JSON.stringify(result));
}
