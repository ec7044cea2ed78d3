import { RequestHead } from '../../../core/head.ts';
import type { Headers } from '../../../core/headers.ts';
import { lentBytes } from '../../../core/lent-bytes.ts';
import type { Mirror } from '../../../route/route.ts';
import type { HttpStream } from '../stream/stream.ts';
import { Shadow, type ShadowSettings } from './shadow.ts';

/** Where neither the route nor the connection limits what may be kept. Envoy's `per_connection_buffer_limit_bytes`. */
const bytesMaxDefault = 1024 * 1024;

/** The copies of one request that go to other clusters. */
export class Shadows {
  private readonly shadows: readonly Shadow[];

  private constructor(shadows: readonly Shadow[]) {
    this.shadows = shadows;
  }

  /** `head`: as it is forwarded; it is copied. Null: nobody wants this request. */
  static of(
    mirrors: readonly Mirror[],
    head: RequestHead,
    stream: HttpStream,
    timeoutMs: number,
    bufferLimit: number,
  ): Shadows | null {
    // What a tunnel carries belongs to one upstream alone.
    if (head.method === 'CONNECT' || stream.upgrade !== '') return null;
    const { manager, outcome, random } = stream;
    const bytesMax = bufferLimit === 0 ? bytesMaxDefault : bufferLimit;
    const settings: ShadowSettings = { timeoutMs, bytesMax, countsCodes: stream.chain.router.dynamicStats };
    const shadows: Shadow[] = [];
    for (const mirror of mirrors) {
      const name = mirror.wants(random) ? mirror.cluster(head) : '';
      const cluster = name === '' ? undefined : manager.clusters.get(name);
      if (cluster === undefined) continue;
      const copy = copyOf(head);
      mirror.prepare(copy, outcome);
      markAsOurs(copy.headers, manager.localAddress);
      const span = stream.trace?.beginMirror(cluster, mirror.isSampled ?? null, copy) ?? null;
      shadows.push(new Shadow(manager, cluster, copy, settings, span));
    }
    return shadows.length === 0 ? null : new Shadows(shadows);
  }

  start(end: boolean): void {
    for (const shadow of this.shadows) shadow.start(end);
  }

  data(chunk: Uint8Array, end: boolean): void {
    lentBytes.keep(chunk);
    for (const shadow of this.shadows) shadow.sendData(chunk, end);
  }

  trailers(trailers: Headers): void {
    for (const shadow of this.shadows) shadow.sendTrailers(trailers.clone());
  }

  /** The stream is over. */
  leave(): void {
    for (const shadow of this.shadows) shadow.leave();
  }
}

function copyOf(head: RequestHead): RequestHead {
  const copy = new RequestHead(head.method, head.authority, head.path, head.version, head.headers.clone());
  copy.scheme = head.scheme;
  copy.hasAuthority = head.hasAuthority;
  return copy;
}

/** As every request of a proxy's own. Source: Envoy `AsyncStreamImpl::sendHeaders`. */
function markAsOurs(headers: Headers, localAddress: string): void {
  headers.set('x-envoy-internal', 'true');
  const before = headers.get('x-forwarded-for') ?? '';
  headers.set('x-forwarded-for', before === '' ? localAddress : `${before},${localAddress}`);
}
