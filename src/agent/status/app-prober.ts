import type { IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { decodeIsServing, encodeHealthRequest } from '../../cluster/health/probe/grpc-messages.ts';
import type { Log } from '../../observe/log/log.ts';
import { GrpcChannel } from '../grpc/grpc-channel.ts';
import type { AppProbe } from './app-probe.ts';
import { askHttp } from './http-request.ts';

/** What the kubelet is answered. */
export interface ProbeResult {
  readonly status: number;
  readonly body: Buffer;
}

const good: ProbeResult = { status: 200, body: Buffer.alloc(0) };
const bad: ProbeResult = { status: 500, body: Buffer.alloc(0) };
/** What the kubelet reads of an answer. */
const bodyBytesMax = 10 * 1024;
const redirectsMax = 10;

export interface AppProberOptions {
  /** Address of the pod, or `localhost`. */
  readonly destination: string;
  /** 127.0.0.6 or ::6: connections from there are not the workload's, and go past the proxy. */
  readonly localAddress: string;
  readonly statusPort: number;
  readonly log: Log;
}

/** Asks the application in the kubelet's place, past the proxy: mutual TLS is not for the kubelet. */
export class AppProber {
  private readonly options: AppProberOptions;

  constructor(options: AppProberOptions) {
    this.options = options;
  }

  async probe(probe: AppProbe, headers: IncomingHttpHeaders): Promise<ProbeResult> {
    try {
      if (probe.kind === 'http') return await this.askHttp(probe, headers);
      if (probe.kind === 'tcp') return await this.connect(probe.port, probe.timeoutMs);
      return await this.askHealth(probe);
    } catch (error) {
      this.options.log.warn(`a probe of the application failed: port ${probe.port}: ${(error as Error).message}`);
      return bad;
    }
  }

  private async askHttp(
    { isTls, path, port, timeoutMs }: Extract<AppProbe, { kind: 'http' }>,
    headers: IncomingHttpHeaders,
  ): Promise<ProbeResult> {
    const base = new URL(`${isTls ? 'https' : 'http'}://${this.authority(port)}${path}`);
    const { connection: _, ...passed } = headers;
    const host = this.hostOf(headers.host ?? '', port);
    let url = base;
    for (let redirects = 0; redirects <= redirectsMax; redirects++) {
      const answer = await askHttp({
        url: url.href,
        headers: { ...passed, host, connection: 'close' },
        localAddress: this.options.localAddress,
        timeoutMs,
        bodyBytesMax,
      });
      if (answer.status < 300 || answer.status >= 400) return { status: answer.status, body: answer.body };
      const { location } = answer.headers;
      const next = location === undefined ? null : URL.parse(location, url.href);
      // Somewhere else is another's to answer for: the application has answered.
      if (next === null || (next.hostname !== base.hostname && next.hostname !== host.split(':')[0])) return good;
      next.hostname = base.hostname;
      url = next;
    }
    throw new Error(`more than ${redirectsMax} redirects`);
  }

  private connect(port: number, timeoutMs: number): Promise<ProbeResult> {
    const { destination, localAddress } = this.options;
    return new Promise((resolve, reject) => {
      const socket = connect({ host: destination, port, localAddress });
      const timer = setTimeout(
        () => socket.destroy(new Error(`not connected within ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      socket.on('connect', () => {
        clearTimeout(timer);
        socket.destroy();
        resolve(good);
      });
      socket.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
    });
  }

  private async askHealth({ port, service, timeoutMs }: Extract<AppProbe, { kind: 'grpc' }>): Promise<ProbeResult> {
    const { destination, localAddress } = this.options;
    const channel = new GrpcChannel({ host: destination, port, localAddress, tls: null });
    try {
      const path = '/grpc.health.v1.Health/Check';
      const answer = await channel.ask(path, {}, encodeHealthRequest(service), timeoutMs);
      return decodeIsServing(answer) === true ? good : bad;
    } finally {
      channel.close();
    }
  }

  private authority(port: number): string {
    const { destination } = this.options;
    return `${destination.includes(':') ? `[${destination}]` : destination}:${port}`;
  }

  /** As the kubelet asked; the agent's port in it is the application's. */
  private hostOf(host: string, port: number): string {
    if (host === '') return this.authority(port);
    const suffix = `:${this.options.statusPort}`;
    return host.endsWith(suffix) ? `${host.slice(0, -suffix.length)}:${port}` : host;
  }
}
