import { createServer, type Server as HttpServer } from 'node:http';
import { createRegistry, fromBinary, toJson } from '@bufbuild/protobuf';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { StringValueSchema, StructSchema } from '@bufbuild/protobuf/wkt';
import {
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
} from '@grpc/grpc-js';
import { StreamAccessLogsMessageSchema } from '../src/proto/envoy/service/accesslog/v3/als_pb.js';

/** Anything that JSON has. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** A span, a record or an entry that came, in the words of its protocol; `from`: the path or method that it came by. */
export interface Collected {
  readonly kind: 'zipkin' | 'span' | 'record' | 'entry';
  readonly from: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly value: { readonly [key: string]: Json };
  /** OTLP: the resource, and the scope's name. */
  readonly resource?: Json;
  /** The first message of a stream of entries: who sends them. */
  readonly identifier?: Json;
}

/** How a field of OTLP or Zipkin's messages is read. `?`: a 64-bit number; `x`: bytes as hexadecimal digits. */
type Field = readonly [name: string, type: 's' | 'x' | '?' | 'n' | 'b' | 'd' | Fields, isList?: boolean];
type Fields = () => Readonly<Record<number, Field>>;

const anyValue: Fields = () => ({
  1: ['string', 's'],
  2: ['bool', 'b'],
  3: ['int', 'n'],
  4: ['double', 'd'],
  5: ['list', () => ({ 1: ['values', anyValue, true] })],
  6: ['map', () => ({ 1: ['values', keyValue, true] })],
});
const keyValue: Fields = () => ({ 1: ['key', 's'], 2: ['value', anyValue] });
const resource: Fields = () => ({ 1: ['attributes', keyValue, true] });
const scope: Fields = () => ({ 1: ['name', 's'], 2: ['version', 's'] });
const event: Fields = () => ({ 1: ['time', '?'], 2: ['name', 's'] });
const span: Fields = () => ({
  1: ['traceId', 'x'],
  2: ['id', 'x'],
  3: ['state', 's'],
  4: ['parentId', 'x'],
  5: ['name', 's'],
  6: ['kind', 'n'],
  7: ['start', '?'],
  8: ['end', '?'],
  9: ['attributes', keyValue, true],
  11: ['events', event, true],
  15: ['status', () => ({ 2: ['message', 's'], 3: ['code', 'n'] })],
});
const record: Fields = () => ({
  1: ['time', '?'],
  5: ['body', anyValue],
  6: ['attributes', keyValue, true],
  9: ['traceId', 'x'],
  10: ['spanId', 'x'],
});
const group = (inner: Fields): Fields => {
  const scoped: Fields = () => ({ 1: ['scope', scope], 2: ['items', inner, true] });
  const resourced: Fields = () => ({ 1: ['resource', resource], 2: ['scoped', scoped, true] });
  return () => ({ 1: ['resources', resourced, true] });
};
const zipkinSpan: Fields = () => ({
  1: ['traceId', 'x'],
  2: ['parentId', 'x'],
  3: ['id', 'x'],
  4: ['kind', 'n'],
  5: ['name', 's'],
  6: ['timestamp', '?'],
  7: ['duration', '?'],
  8: ['localEndpoint', () => ({ 1: ['serviceName', 's'], 2: ['ipv4', 'x'], 3: ['ipv6', 'x'], 4: ['port', 'n'] })],
  10: ['annotations', () => ({ 1: ['timestamp', '?'], 2: ['value', 's'] }), true],
  11: ['tags', () => ({ 1: ['key', 's'], 2: ['value', 's'] }), true],
  13: ['shared', 'b'],
});

/** What came in whole: OTLP and Zipkin over HTTP, OTLP and access logs by gRPC. Read by its own tables, not by ours. */
export class Collector {
  readonly received: Collected[];
  /** Called with each. */
  onReceived: (collected: Collected) => void;
  /** Statuses that requests over HTTP get, one after the other; then what each protocol means by success. */
  readonly statuses: number[];
  private readonly http: HttpServer;
  private readonly grpc: Server;

  private constructor() {
    this.received = [];
    this.onReceived = () => {};
    this.statuses = [];
    this.http = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const status = this.statuses.shift();
        const headers = request.headers as Record<string, string>;
        if (status === undefined) this.takeHttp(request.url ?? '', headers, Buffer.concat(chunks));
        response.writeHead(status ?? (request.url!.includes('spans') ? 202 : 200)).end();
      });
    });
    this.grpc = new Server();
    this.grpc.addService(service, {
      traces: this.unary('/opentelemetry.proto.collector.trace.v1.TraceService/Export', 'span', group(span)),
      logs: this.unary('/opentelemetry.proto.collector.logs.v1.LogsService/Export', 'record', group(record)),
      entries: (call: ServerReadableStream<Buffer, Buffer>) => {
        call.on('data', (message: Buffer) => this.takeEntries(message, namesOf(call.metadata.getMap())));
        call.on('error', () => {});
      },
    });
  }

  /** Ports of 127.0.0.1; 0: any. */
  static async open(httpPort = 0, grpcPort = 0): Promise<{ collector: Collector; httpPort: number; grpcPort: number }> {
    const collector = new Collector();
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    collector.grpc.bindAsync(`127.0.0.1:${grpcPort}`, ServerCredentials.createInsecure(), (error, port) =>
      error === null ? resolve(port) : reject(error),
    );
    await new Promise<void>((listening) => collector.http.listen(httpPort, '127.0.0.1', listening));
    const address = collector.http.address() as { port: number };
    return { collector, httpPort: address.port, grpcPort: await promise };
  }

  close(): void {
    this.http.close();
    this.http.closeAllConnections();
    this.grpc.forceShutdown();
  }

  private take(collected: Collected): void {
    this.received.push(collected);
    this.onReceived(collected);
  }

  private takeHttp(path: string, headers: Readonly<Record<string, string>>, body: Buffer): void {
    if (path.includes('logs')) this.takeOtlp('record', group(record), path, headers, body);
    else if (path.includes('traces')) this.takeOtlp('span', group(span), path, headers, body);
    else {
      const isJson = headers['content-type'] === 'application/json';
      const list: Fields = () => ({ 1: ['spans', zipkinSpan, true] });
      const spans = isJson ? (JSON.parse(body.toString('utf8')) as Json[]) : (read(body, list)['spans'] as Json[]);
      for (const value of spans) this.take({ kind: 'zipkin', from: path, headers, value: value as Collected['value'] });
    }
  }

  private takeOtlp(
    kind: 'span' | 'record',
    fields: Fields,
    from: string,
    headers: Readonly<Record<string, string>>,
    body: Buffer,
  ): void {
    type Scoped = { readonly scope?: Json; readonly items: readonly Collected['value'][] };
    type Resourced = { readonly resource?: { readonly attributes?: Json }; readonly scoped: readonly Scoped[] };
    for (const one of read(body, fields)['resources'] as unknown as readonly Resourced[])
      for (const { items } of one.scoped)
        for (const value of items)
          this.take({ kind, from, headers, value, resource: one.resource?.attributes ?? null });
  }

  private takeEntries(message: Buffer, headers: Readonly<Record<string, string>>): void {
    const registry = createRegistry(StringValueSchema, StructSchema);
    const decoded = fromBinary(StreamAccessLogsMessageSchema, message);
    const { identifier, httpLogs, tcpLogs } = toJson(StreamAccessLogsMessageSchema, decoded, { registry }) as {
      readonly identifier?: Json;
      readonly httpLogs?: { readonly logEntry: readonly Collected['value'][] };
      readonly tcpLogs?: { readonly logEntry: readonly Collected['value'][] };
    };
    const whole = identifier === undefined ? {} : { identifier };
    const from = httpLogs === undefined ? 'tcp' : 'http';
    for (const value of (httpLogs ?? tcpLogs)!.logEntry) this.take({ kind: 'entry', from, headers, value, ...whole });
  }

  private unary(from: string, kind: 'span' | 'record', fields: Fields) {
    return (call: ServerUnaryCall<Buffer, Buffer>, done: sendUnaryData<Buffer>): void => {
      this.takeOtlp(kind, fields, from, namesOf(call.metadata.getMap()), call.request);
      done(null, Buffer.alloc(0));
    };
  }
}

const asIs = (bytes: Buffer): Buffer => bytes;
const method = (path: string, requestStream: boolean) => ({
  path,
  requestStream,
  responseStream: false,
  requestSerialize: asIs,
  requestDeserialize: asIs,
  responseSerialize: asIs,
  responseDeserialize: asIs,
});
const service = {
  traces: method('/opentelemetry.proto.collector.trace.v1.TraceService/Export', false),
  logs: method('/opentelemetry.proto.collector.logs.v1.LogsService/Export', false),
  entries: method('/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs', true),
};

function namesOf(map: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, String(value)]));
}

/** A message by its table; what the table does not know is an error, so that nothing is overlooked. */
function read(bytes: Uint8Array, fields: Fields): Record<string, Json> {
  const table = fields();
  const reader = new BinaryReader(bytes);
  const value: Record<string, Json> = {};
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const field = table[number];
    if (field === undefined) throw new Error(`field ${number} is not known`);
    const [name, type, isList = false] = field;
    const item = readField(reader, type, wireType);
    if (isList) value[name] = [...((value[name] as Json[] | undefined) ?? []), item];
    else value[name] = item;
  }
  return value;
}

function readField(reader: BinaryReader, type: Field[1], wireType: WireType): Json {
  switch (type) {
    case 's':
      return reader.string();
    case 'x':
      return Buffer.from(reader.bytes()).toString('hex');
    case '?':
      return String(wireType === WireType.Bit64 ? reader.fixed64() : reader.uint64());
    case 'n':
      return Number(reader.int64());
    case 'b':
      return reader.bool();
    case 'd':
      return reader.double();
    default:
      return read(reader.bytes(), type);
  }
}
