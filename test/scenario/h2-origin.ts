import { once } from 'node:events';
import {
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

type Handler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** Node's HTTP/2 server as the upstream, without TLS. */
export class H2Origin {
  readonly server: Http2Server;
  /** Connections ever made, in order. */
  readonly sessions: ServerHttp2Session[];

  private constructor(handler: Handler) {
    this.sessions = [];
    this.server = createServer();
    this.server.on('session', (session) => {
      this.sessions.push(session);
      session.on('error', () => {});
    });
    this.server.on('sessionError', () => {});
    this.server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      handler(stream as ServerHttp2Stream, headers);
    });
  }

  static async start(handler: Handler): Promise<H2Origin> {
    const origin = new H2Origin(handler);
    origin.server.listen(0, '127.0.0.1');
    await once(origin.server, 'listening');
    onTestFinished(() => origin.stop());
    return origin;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  stop(): void {
    this.server.close();
    for (const session of this.sessions) session.destroy();
  }
}

/** Fields of a cluster that speaks HTTP/2. */
export function http2Cluster(options: object = {}): Record<string, unknown> {
  return {
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: options },
      },
    },
  };
}
