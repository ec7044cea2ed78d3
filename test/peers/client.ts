import { setTimeout as sleep } from 'node:timers/promises';
import { countComplete, parseAnswers, type Exchange } from './answer.ts';
import { performFrames } from './h2-frames.ts';
import { performH2 } from './h2-client.ts';
import { Line } from './line.ts';
import { methodOf, requestsOf, type Ports, type Request, type Row, type Segment } from './row.ts';

const quietMs = 3000;

/** Performs a row against a listener and gives what came back, one entry per client connection. */
export async function perform(row: Row, ports: Ports): Promise<Exchange[]> {
  if (row.frames !== undefined) return [await performFrames(row, ports)];
  if (row.raw !== undefined) return [await performRaw(row, ports)];
  const requests = requestsOf(row);
  if (row.over === 'h2') return [await performH2(row, requests, ports)];
  if (row.mode === 'together') return performTogether(row, requests, ports);
  return [
    row.mode === 'pipelined' ? await performPipelined(row, requests, ports) : await performInTurn(row, requests, ports),
  ];
}

async function performRaw(row: Row, ports: Ports): Promise<Exchange> {
  const line = await Line.open(ports, row.tls);
  const segments = typeof row.raw === 'string' ? [row.raw] : (row.raw as readonly Segment[]);
  const methods = segments.filter((segment) => typeof segment === 'string').join('');
  const names = [...methods.matchAll(/(?:^|\n)([A-Z]+) \S+ +HTTP\/1/g)].map((match) => match[1]);
  await line.send(segments);
  return finish(row, line, names, row.answers ?? 1);
}

async function performPipelined(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange> {
  const line = await Line.open(ports, row.tls);
  await line.send([requests.map(serialise).join('')]);
  return finish(row, line, requests.map(methodOf), requests.length);
}

async function performInTurn(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange> {
  const line = await Line.open(ports, row.tls);
  const methods = requests.map(methodOf);
  for (const [index, request] of requests.entries()) {
    if (index > 0 && row.pauseMs !== undefined) await sleep(row.pauseMs);
    await line.send([serialise(request)]);
    await line.until(() => isAnswered(line, methods, index + 1), row.waitMs ?? quietMs);
    if (line.end !== 'open') break;
  }
  return finish(row, line, methods, requests.length);
}

async function performTogether(row: Row, requests: readonly Request[], ports: Ports): Promise<Exchange[]> {
  const exchanges = requests.map(async (request, index) => {
    await sleep(index * (row.staggerMs ?? 0));
    return performInTurn(row, [request], ports);
  });
  return Promise.all(exchanges);
}

async function finish(row: Row, line: Line, methods: readonly string[], answers: number): Promise<Exchange> {
  const wait = row.waitMs ?? quietMs;
  await line.until(() => isAnswered(line, methods, answers), wait);
  if (row.until === 'closed') await line.until(() => line.end !== 'open', wait);
  const hasEnded = line.end !== 'open';
  const isHttp = line.received.toString('latin1', 0, 5) === 'HTTP/';
  const exchange: Exchange = isHttp
    ? { answers: parseAnswers(line.received, methods, hasEnded) }
    : { answers: [], text: line.received.toString('latin1') };
  if (row.until === 'closed') exchange.end = line.end;
  if (line.handshake !== null) exchange.tls = line.handshake;
  line.destroy();
  return exchange;
}

function isAnswered(line: Line, methods: readonly string[], count: number): boolean {
  const hasEnded = line.end !== 'open';
  return hasEnded || countComplete(parseAnswers(line.received, methods, hasEnded)) >= count;
}

function serialise(request: Request): string {
  const fields: (readonly [string, string])[] = [];
  if (request.host !== null) fields.push(['host', request.host ?? 'test.local']);
  fields.push(...(request.headers ?? []));
  if (request.body !== undefined) fields.push(['content-length', String(request.body.length)]);
  if (request.chunks !== undefined) fields.push(['transfer-encoding', 'chunked']);
  const head = `${methodOf(request)} ${request.path ?? '/'} ${request.version ?? 'HTTP/1.1'}\r\n`;
  return `${head}${lines(fields)}\r\n${bodyOf(request)}`;
}

function bodyOf(request: Request): string {
  if (request.chunks === undefined) return request.body ?? '';
  const chunks = request.chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`);
  return `${chunks.join('')}0\r\n${lines(request.trailers ?? [])}\r\n`;
}

function lines(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
