import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { dirname } from 'node:path';
import { GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import { frameMessage } from '../../cluster/grpc/message-frame.ts';
import { MessageFault, MessageReader } from '../../cluster/grpc/message-reader.ts';

/** What a service does with the messages of one call. */
export interface CallHandler {
  onMessage(message: Uint8Array): void;
  /** The client ended, or is gone; always last. */
  onClosed(): void;
}

/** Methods by their path. */
export type Methods = Readonly<Record<string, (call: ServedCall) => CallHandler>>;

/** Requests of a control plane's clients name resources: far smaller than what they ask for. */
const messageBytesMax = 64 << 20;
const sessionsMax = 1000;
const streamsMax = 1000;
/** Sockets that other users of the pod connect to, too. */
const socketMode = 0o666;

/** The server's end of one call. */
export class ServedCall {
  private readonly stream: ServerHttp2Stream;
  private isEnded: boolean;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
    this.isEnded = false;
  }

  /** @returns false: more than is good waits to be sent */
  send(message: Uint8Array): boolean {
    return this.isEnded || this.stream.destroyed || this.stream.write(frameMessage(message));
  }

  /** Says when more may be sent, each time. */
  onDrain(run: () => void): void {
    this.stream.on('drain', run);
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  /** @param code one of GrpcCode */
  end(code: number, message: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    if (this.stream.destroyed) return;
    const trailers = { 'grpc-status': String(code), ...(message === '' ? {} : { 'grpc-message': encoded(message) }) };
    if (!this.stream.headersSent) {
      this.stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...trailers }, { endStream: true });
      return;
    }
    this.stream.on('wantTrailers', () => this.stream.sendTrailers(trailers));
    this.stream.end();
  }
}

/** A gRPC server behind a Unix socket. */
export class GrpcServer {
  private readonly server: Http2Server;
  private readonly sessions: Set<ServerHttp2Session>;

  private constructor(methods: Methods) {
    this.sessions = new Set();
    this.server = createServer({ settings: { maxConcurrentStreams: streamsMax } });
    this.server.on('session', (session) => this.onSession(session));
    this.server.on('stream', (stream: ServerHttp2Stream, headers) => serve(methods, stream, headers));
  }

  /** Puts its socket in the place of what is there. @throws Error where it cannot */
  static async listen(path: string, methods: Methods): Promise<GrpcServer> {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    const grpc = new GrpcServer(methods);
    await new Promise<void>((resolve, reject) => {
      grpc.server.once('error', reject);
      grpc.server.listen(path, () => {
        grpc.server.off('error', reject);
        resolve();
      });
    });
    chmodSync(path, socketMode);
    return grpc;
  }

  close(): void {
    this.server.close();
    for (const session of this.sessions) session.destroy();
  }

  private onSession(session: ServerHttp2Session): void {
    if (this.sessions.size >= sessionsMax) {
      session.destroy();
      return;
    }
    this.sessions.add(session);
    session.on('error', () => session.destroy());
    session.on('close', () => this.sessions.delete(session));
  }
}

function serve(methods: Methods, stream: ServerHttp2Stream, headers: Record<string, unknown>): void {
  stream.on('error', () => stream.close());
  const call = new ServedCall(stream);
  const path = String(headers[':path']);
  const open = Object.hasOwn(methods, path) ? methods[path] : undefined;
  if (open === undefined || headers[':method'] !== 'POST') {
    call.end(GrpcCode.Unimplemented, `unknown method ${path}`);
    return;
  }
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  const handler = open(call);
  let isClosed = false;
  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    handler.onClosed();
  };
  const reader = new MessageReader(messageBytesMax, { onFramedMessage: (message) => handler.onMessage(message) });
  stream.on('data', (chunk: Uint8Array) => {
    if (isClosed || reader.read(chunk) === MessageFault.None) return;
    call.end(GrpcCode.ResourceExhausted, 'a message is too large or compressed');
    stream.close(constants.NGHTTP2_NO_ERROR);
    close();
  });
  stream.on('end', () => {
    close();
    call.end(GrpcCode.Ok, '');
  });
  stream.on('close', close);
}

function encoded(message: string): string {
  return message.replaceAll(/[^ -$&-~]/g, (character) => encodeURIComponent(character));
}
