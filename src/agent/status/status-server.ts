import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../../observe/log/log.ts';
import type { AppProbe } from './app-probe.ts';
import type { AppProber } from './app-prober.ts';
import type { MergedMetrics } from './merged-metrics.ts';
import type { Readiness } from './readiness.ts';

/** What the server says and does, told apart from how it is asked. */
export interface StatusServerOptions {
  readonly readiness: Readiness;
  readonly metrics: MergedMetrics;
  /** By the path at which the kubelet asks. */
  readonly probes: ReadonlyMap<string, AppProbe>;
  readonly prober: AppProber;
  /** Metrics for this machine only. */
  readonly metricsAreLocal: boolean;
  /** Names of the mesh, in JSON; null: there are none. */
  readonly names: () => string | null;
  readonly onQuit: () => void;
  readonly onDrain: () => void;
  readonly log: Log;
}

type Answer = (response: ServerResponse, request: IncomingMessage) => void | Promise<void>;

/** Requests of a kubelet and a scraper are small. */
const headerBytesMax = 64 * 1024;
const connectionsMax = 1000;
const onlyLocal = 'Only requests from localhost are allowed\n';

/** What others ask of the proxy's agent: whether it is ready, metrics, probes of the application, its end. */
export class StatusServer {
  private readonly options: StatusServerOptions;
  private readonly server: Server;
  private wasReady: boolean;

  private constructor(options: StatusServerOptions) {
    this.options = options;
    this.wasReady = false;
    this.server = createServer({ maxHeaderSize: headerBytesMax }, (request, response) => this.serve(request, response));
    this.server.maxConnections = connectionsMax;
  }

  /** @throws Error where the port is not to be had */
  static listen(port: number, options: StatusServerOptions): Promise<StatusServer> {
    const status = new StatusServer(options);
    return new Promise((resolve, reject) => {
      status.server.once('error', reject);
      status.server.listen(port, () => resolve(status));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const [path] = (request.url ?? '').split('?', 1);
    const answer = this.answerOf(path);
    request.resume();
    Promise.resolve(answer(response, request)).catch((error: Error) => {
      this.options.log.error(`${path}: ${error.message}`);
      send(response, 500, '');
    });
  }

  private answerOf(path: string): Answer {
    const { options } = this;
    switch (path) {
      case '/healthz/ready':
        return (response) => this.ready(response);
      case '/metrics':
      case '/stats/prometheus':
        return options.metricsAreLocal
          ? locally((response, request) => this.metrics(response, request))
          : (response, request) => this.metrics(response, request);
      case '/quitquitquit':
        return locally(posted(options.onQuit));
      case '/drain':
        return locally(posted(options.onDrain));
      case '/debug/ndsz':
        return locally((response) => {
          const names = options.names();
          send(response, names === null ? 404 : 200, names ?? '{}', 'application/json');
        });
      default:
        if (path.startsWith('/app-health/') || path.startsWith('/app-lifecycle/'))
          return (response, request) => this.probe(path, response, request);
        return (response) => send(response, 404, '404 page not found\n');
    }
  }

  private async ready(response: ServerResponse): Promise<void> {
    const reason = await this.options.readiness.check();
    if (reason !== '') this.options.log.warn(`Envoy proxy is NOT ready: ${reason}`);
    else if (!this.wasReady) this.options.log.info('Envoy proxy is ready');
    this.wasReady = reason === '';
    send(response, reason === '' ? 200 : 503, '');
  }

  private async metrics(response: ServerResponse, request: IncomingMessage): Promise<void> {
    const url = request.url ?? '';
    const query = url.includes('?') ? url.slice(url.indexOf('?')) : '';
    const { contentType, body } = await this.options.metrics.page(query, request.headers);
    send(response, 200, body, contentType);
  }

  private async probe(path: string, response: ServerResponse, request: IncomingMessage): Promise<void> {
    const probe = this.options.probes.get(path);
    if (probe === undefined) {
      send(response, 400, `app prober config does not exists for ${path}`);
      return;
    }
    const { status, body } = await this.options.prober.probe(probe, request.headers);
    send(response, status, body);
  }
}

function locally(answer: Answer): Answer {
  return (response, request) => {
    if (isLoopback(request.socket.remoteAddress ?? '')) return answer(response, request);
    send(response, 403, onlyLocal);
  };
}

function posted(run: () => void): Answer {
  return (response, request) => {
    if (request.method !== 'POST') {
      send(response, 405, 'Method Not Allowed\n');
      return;
    }
    send(response, 200, 'OK');
    run();
  };
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function send(response: ServerResponse, status: number, body: string | Buffer, type = 'text/plain'): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'content-length': Buffer.byteLength(body),
    ...(body.length === 0 ? {} : { 'content-type': type }),
  });
  response.end(body);
}
