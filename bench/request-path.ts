/**
 * What a request costs between two sockets, without the sockets: the bench's configurations through the real connection
 * manager, routes, pools and access log over connections in memory. `node bench/request-path.ts [realistic|
 * realistic-traffic|plain|traced-zipkin|traced-opentelemetry] [--seconds 2] [--show]` prints ns of user time per request
 * in this thread, best of several rounds; with `--cpu-prof` it says where they go. What workers run with is
 * `--max-inlined-bytecode-size-cumulative=4000` (src/inlining.ts).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { AccessLogFiles } from '../src/observe/access-log/access-log-files.ts';
import { MemoryConnection, MemoryNetwork } from './memory-network.ts';
import { openProxy } from './memory-proxy.ts';
import type { Shape } from './target.ts';
import { browserHeaders, realistic } from './targets/workload.ts';

const clients = 64;
const rounds = 8;

const { values: options, positionals } = parseArgs({
  options: { seconds: { type: 'string', default: '2' }, show: { type: 'boolean', default: false } },
  allowPositionals: true,
});

function message(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

/** As `realisticRequests` of scenarios.ts has wrk send them, in the same order. */
function realisticRequests(): Buffer[] {
  const paths = [...realistic.prefixes.map((prefix) => `${prefix}items?page=2&sort=name`), '/api/other', '/healthz'];
  const fields = Object.entries(browserHeaders).map(([name, value]) => `${name}: ${value}`);
  const inOrder = realistic.hosts.flatMap((host) =>
    paths.map((path) => message(`GET ${path} HTTP/1.1`, ...fields, `Host: ${host}`, '', '')),
  );
  return inOrder.map((_, n) => inOrder[(n * 389) % inOrder.length]);
}

const item = '{"id":1234567,"name":"item","tags":["a","b","c"],"price":12.5,"stock":42,"text":"lorem ipsum dolor"}';
const start = ['HTTP/1.1 200 OK', 'Server: nginx/1.22.1', 'Date: Sat, 21 Nov 2026 11:29:23 GMT'];
const responses = {
  realistic: message(
    ...start,
    'Content-Type: application/json',
    `Content-Length: ${item.length * 10 + 11}`,
    'Connection: keep-alive',
    'cache-control: private, max-age=0',
    'etag: "5f3a-1c2b"',
    'x-powered-by: bench',
    'set-cookie: session=abcdef0123456789; Path=/; HttpOnly',
    '',
    `[${Array.from({ length: 10 }, () => item).join(',')}]`,
  ),
  plain: message(
    ...start,
    'Content-Type: text/plain',
    'Content-Length: 100',
    'Connection: keep-alive',
    '',
    `${'x'.repeat(99)}\n`,
  ),
};

/** In turns, as the ring's: everyone asks, all requests leave, every upstream answers, all answers leave. */
class Traffic {
  private readonly network: MemoryNetwork;
  private readonly requests: readonly Buffer[];
  private readonly response: Buffer;
  private readonly clients: MemoryConnection[];
  private readonly asked: MemoryConnection[];
  private next: number;
  private answers: number;
  isShown: boolean;

  constructor(requests: readonly Buffer[], response: Buffer) {
    this.requests = requests;
    this.response = response;
    this.asked = [];
    this.next = 0;
    this.answers = 0;
    this.isShown = false;
    this.network = new MemoryNetwork((connection, size) => {
      if (this.isShown) console.log(MemoryConnection.sent(size));
      this.asked.push(connection);
    });
    this.clients = [];
  }

  async open(shape: Shape, directory: string): Promise<AccessLogFiles> {
    const files = await openProxy(shape, directory, this.network);
    for (let i = 0; i < clients; i++) {
      const client = this.network.accept(40_000 + i, (_, size) => {
        if (this.isShown) console.log(MemoryConnection.sent(size));
        this.answers++;
      });
      this.clients.push(client);
    }
    return files;
  }

  turn(): void {
    const { network, asked } = this;
    const before = this.answers;
    for (const client of this.clients) {
      client.arrive(this.requests[this.next]);
      if (++this.next === this.requests.length) this.next = 0;
    }
    network.loop.endTurn();
    for (const connection of asked) connection.arrive(this.response);
    asked.length = 0;
    network.loop.endTurn();
    if (this.answers - before !== clients) throw new Error(`${this.answers - before} answers to ${clients} requests`);
  }
}

const shapes = ['plain', 'realistic', 'realistic-traffic', 'traced-zipkin', 'traced-opentelemetry'] as const;
const shape = shapes.find((one) => one === positionals[0]) ?? 'realistic';
const directory = mkdtempSync(join(tmpdir(), 'sekisho-request-path-'));
try {
  const kind = shape.startsWith('realistic') ? 'realistic' : 'plain';
  const requests = kind === 'plain' ? [message('GET / HTTP/1.1', 'Host: 127.0.0.1:8080', '', '')] : realisticRequests();
  const traffic = new Traffic(requests, responses[kind]);
  const files = await traffic.open(shape, directory);
  if (options.show) {
    traffic.isShown = true;
    traffic.turn();
  } else {
    for (let i = 0; i < 500; i++) traffic.turn();
    let best = Infinity;
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      const { user } = process.threadCpuUsage();
      let turns = 0;
      for (; performance.now() - from < (Number(options.seconds) * 1000) / rounds; turns++) {
        traffic.turn();
        // The log is written by the thread pool, which tells the event loop.
        if (turns % 20 === 0) await new Promise(setImmediate);
      }
      best = Math.min(best, ((process.threadCpuUsage().user - user) * 1000) / (turns * clients));
    }
    console.log(`${shape}: ${Math.round(best)} ns per request`);
  }
  await files.close();
} finally {
  rmSync(directory, { recursive: true });
}
