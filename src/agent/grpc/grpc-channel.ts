import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { isIP, connect as connectTcp } from 'node:net';
import { checkServerIdentity, connect as connectTls, type ConnectionOptions } from 'node:tls';
import { decodeMessage, GrpcCode } from '../../cluster/grpc/grpc-status.ts';
import { frameMessage } from '../../cluster/grpc/message-frame.ts';
import { MessageFault, MessageReader, type MessageListener } from '../../cluster/grpc/message-reader.ts';
import { grpcStatusFromHttp } from '../../observe/format/grpc-status.ts';

/** How the other side proves who it is, and we. PEM. */
export interface ChannelTls {
  /** Null: the roots of the system. */
  readonly roots: string | null;
  /** The name that its certificate must have: a host name or an address. */
  readonly serverName: string;
  /** Null: no certificate of ours. */
  readonly certificate: { readonly chain: string; readonly key: string } | null;
}

export interface ChannelOptions {
  readonly host: string;
  readonly port: number;
  /** Address that it leaves from. */
  readonly localAddress?: string;
  /** Read anew for each connection, so that changed files count; null: no TLS. @throws Error where there is none */
  readonly tls: (() => ChannelTls) | null;
}

/** Metadata of a call: names in lower case. */
export type Metadata = Readonly<Record<string, string>>;

/** Who listens to a call. */
export interface CallListener extends MessageListener {
  /** Exactly once, always last. @param code one of GrpcCode */
  onStatus(code: number, message: string): void;
}

/** As Istio's agent: the windows of 1 MiB and the pings of 30 s that istiod allows. */
const windowBytes = 1 << 20;
const pingEveryMs = 30_000;
const pingTimeoutMs = 10_000;
const connectTimeoutMs = 20_000;
/** Istio's agent takes answers of any size; this is what a mesh of a hundred thousand services needs. */
const messageBytesMax = 512 << 20;

/** A call whose messages flow in both directions. */
export class GrpcCall {
  private readonly stream: ClientHttp2Stream;
  private readonly listener: CallListener;
  private readonly reader: MessageReader;
  private isEnded: boolean;
  private code: number;
  private message: string;

  constructor(stream: ClientHttp2Stream, listener: CallListener) {
    this.stream = stream;
    this.listener = listener;
    this.reader = new MessageReader(messageBytesMax, listener);
    this.isEnded = false;
    this.code = GrpcCode.Unavailable;
    this.message = 'the stream ended without a status';
    stream.on('response', (headers) => this.onHeaders(headers));
    stream.on('trailers', (headers) => this.readStatus(headers));
    stream.on('data', (chunk: Uint8Array) => this.onData(chunk));
    // Whoever has given its status is done, whatever we had still to say.
    stream.on('end', () => stream.close());
    stream.on('error', (error) => this.end(GrpcCode.Unavailable, error.message));
    stream.on('close', () => this.end(this.code, this.message));
  }

  /** @returns false: more than is good waits to be sent */
  send(message: Uint8Array): boolean {
    return this.isEnded || this.stream.destroyed || this.stream.write(frameMessage(message));
  }

  /** Says when more may be sent, each time. */
  onDrain(run: () => void): void {
    this.stream.on('drain', run);
  }

  /** No more will be sent. */
  finish(): void {
    if (!this.isEnded) this.stream.end();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  /** The listener hears nothing more. */
  cancel(): void {
    this.isEnded = true;
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private onHeaders(headers: Record<string, unknown>): void {
    const http = Number(headers[':status']);
    if (http !== 200) {
      this.code = grpcStatusFromHttp(http);
      this.message = `answered with HTTP status ${http}`;
    }
    this.readStatus(headers);
  }

  private readStatus(headers: Record<string, unknown>): void {
    const { 'grpc-status': status, 'grpc-message': message } = headers;
    if (status === undefined) return;
    this.code = Number(status);
    this.message = typeof message === 'string' ? decodeMessage(message) : '';
  }

  private onData(chunk: Uint8Array): void {
    if (this.isEnded) return;
    const fault = this.reader.read(chunk);
    if (fault === MessageFault.None) return;
    this.end(
      fault === MessageFault.TooLarge ? GrpcCode.ResourceExhausted : GrpcCode.Internal,
      fault === MessageFault.TooLarge ? 'a message is too large' : 'a message is compressed',
    );
    this.stream.close(constants.NGHTTP2_CANCEL);
  }

  private end(code: number, message: string): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.listener.onStatus(code, message);
  }
}

/** Calls to one gRPC server: one connection, opened when the first call asks for it and anew when it is gone. */
export class GrpcChannel {
  private readonly options: ChannelOptions;
  private session: ClientHttp2Session | null;

  constructor(options: ChannelOptions) {
    this.options = options;
    this.session = null;
  }

  /** @param path `/package.Service/Method` */
  open(path: string, metadata: Metadata, listener: CallListener): GrpcCall {
    // One that ends in good order is not told of before its last call has ended.
    if (this.session?.closed === true || this.session?.destroyed === true) this.session = null;
    const session = (this.session ??= this.connect());
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      'user-agent': 'sekisho-agent',
      ...metadata,
    });
    return new GrpcCall(stream, listener);
  }

  /** One message there, one back. @throws GrpcError */
  ask(path: string, metadata: Metadata, request: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      let answer: Uint8Array | null = null;
      let call: GrpcCall | null = null;
      const timer = setTimeout(() => {
        call?.cancel();
        reject(new GrpcError(GrpcCode.DeadlineExceeded, `no answer within ${timeoutMs / 1000} s`));
      }, timeoutMs);
      try {
        call = this.open(path, metadata, {
          onFramedMessage: (message) => (answer ??= message),
          onStatus: (code, message) => {
            clearTimeout(timer);
            if (code !== GrpcCode.Ok) reject(new GrpcError(code, message));
            else if (answer === null) reject(new GrpcError(GrpcCode.Internal, 'there was no answer'));
            else resolve(answer);
          },
        });
        call.send(request);
        call.finish();
      } catch (error) {
        clearTimeout(timer);
        reject(new GrpcError(GrpcCode.Unavailable, (error as Error).message));
      }
    });
  }

  /** Ends the connection: the next call opens another, with what the files have then. */
  close(): void {
    this.session?.destroy();
    this.session = null;
  }

  private connect(): ClientHttp2Session {
    const { host, port, localAddress } = this.options;
    const from = localAddress === undefined ? {} : { localAddress };
    const tls = this.options.tls?.() ?? null;
    const session = connect(`${tls === null ? 'http' : 'https'}://${isIP(host) === 6 ? `[${host}]` : host}:${port}`, {
      createConnection: () =>
        tls === null ? connectTcp({ host, port, ...from }) : connectTls({ host, port, ...from, ...tlsOptions(tls) }),
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    const connecting = setTimeout(
      () => session.destroy(new Error(`no connection to ${host}:${port} within ${connectTimeoutMs / 1000} s`)),
      connectTimeoutMs,
    );
    let pinging: NodeJS.Timeout | null = null;
    session.on('connect', () => {
      clearTimeout(connecting);
      session.setLocalWindowSize(windowBytes);
      pinging = setInterval(() => ping(session), pingEveryMs).unref();
    });
    // Calls hear of it by themselves.
    session.on('error', () => this.forget(session));
    session.on('goaway', () => this.forget(session));
    session.on('close', () => {
      clearTimeout(connecting);
      if (pinging !== null) clearInterval(pinging);
      this.forget(session);
    });
    return session;
  }

  private forget(session: ClientHttp2Session): void {
    if (this.session === session) this.session = null;
  }
}

/** A call that did not end well. */
export class GrpcError extends Error {
  /** One of GrpcCode. */
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

function tlsOptions({ roots, serverName, certificate }: ChannelTls): ConnectionOptions {
  return {
    ALPNProtocols: ['h2'],
    minVersion: 'TLSv1.2',
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    checkServerIdentity: (_, peer) => checkServerIdentity(serverName, peer),
    ...(roots === null ? {} : { ca: roots }),
    ...(certificate === null ? {} : { cert: certificate.chain, key: certificate.key }),
  };
}

function ping(session: ClientHttp2Session): void {
  const timer = setTimeout(() => session.destroy(new Error('a ping was not answered')), pingTimeoutMs).unref();
  if (session.destroyed || !session.ping(() => clearTimeout(timer))) clearTimeout(timer);
}
