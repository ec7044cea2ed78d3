import type { ClientCodec, ClientCodecOwner, CodecHost } from '../../codec/codec.ts';
import { H1ClientCodec } from '../../codec/h1/client.ts';
import { HeaderKeyFormat, type H1ClientOptions } from '../../codec/h1/options.ts';
import { H2ClientCodec } from '../../codec/h2/client.ts';
import type { H2ClientOptions } from '../../codec/h2/options.ts';
import { HttpVersion } from '../../core/head.ts';
import type { StatsScope } from '../../observe/stats/stats.ts';
import type { UpstreamHttpData } from '../cluster-data.ts';
import { Http2Counters } from './http2-counters.ts';

const headerKeyFormats = {
  lower: HeaderKeyFormat.LowerCase,
  'proper-case': HeaderKeyFormat.ProperCase,
  'preserve-case': HeaderKeyFormat.PreserveCase,
} as const;

/** What the connections of a pool speak: one protocol, or what the server chooses by ALPN. */
export const PoolProtocol = { Http1: 0, Http2: 1, Alpn: 2 } as const;
export type PoolProtocol = (typeof PoolProtocol)[keyof typeof PoolProtocol];

/** Makes the codecs of a cluster's upstream connections. */
export class ClientCodecs {
  private readonly data: UpstreamHttpData;
  private readonly scope: StatsScope;
  private h1: H1ClientOptions | null;
  private h2: H2ClientOptions | null;

  /** `scope`: of the cluster. */
  constructor(data: UpstreamHttpData, scope: StatsScope) {
    this.data = data;
    this.scope = scope;
    this.h1 = null;
    this.h2 = null;
  }

  /** What a stream goes upstream as whose client speaks `downstream`. */
  protocolFor(downstream: HttpVersion): PoolProtocol {
    switch (this.data.protocol) {
      case 'http1':
        return PoolProtocol.Http1;
      case 'http2':
        return PoolProtocol.Http2;
      case 'downstream':
        return downstream === HttpVersion.Http2 ? PoolProtocol.Http2 : PoolProtocol.Http1;
      case 'auto':
        return PoolProtocol.Alpn;
    }
  }

  /** The version that a stream goes upstream in, the first one of those that a server may choose from. */
  versionFor(downstream: HttpVersion): HttpVersion {
    switch (this.data.protocol) {
      case 'http1':
        return HttpVersion.Http11;
      case 'http2':
      case 'auto':
        return HttpVersion.Http2;
      case 'downstream':
        return downstream;
    }
  }

  /** How many streams one connection carries at most, at a time and altogether, as far as is known before it is open. */
  streamsPerConnection(protocol: PoolProtocol): number {
    const { http2, maxRequestsPerConnection } = this.data;
    const atOnce = protocol === PoolProtocol.Http1 ? 1 : http2.maxConcurrentStreams;
    return maxRequestsPerConnection === 0 ? atOnce : Math.min(atOnce, maxRequestsPerConnection);
  }

  /** `now`: monotonic milliseconds. */
  open(version: HttpVersion, host: CodecHost, owner: ClientCodecOwner, now: number): ClientCodec {
    if (version !== HttpVersion.Http2) return new H1ClientCodec(host, owner, (this.h1 ??= this.h1Options()));
    return new H2ClientCodec(host, owner, (this.h2 ??= this.h2Options()), now);
  }

  private h1Options(): H1ClientOptions {
    const { http1, maxResponseHeaderBytes, maxResponseHeaderCount } = this.data;
    return {
      headersBytesMax: maxResponseHeaderBytes,
      headersCountMax: maxResponseHeaderCount,
      allowChunkedLength: http1.allowChunkedLength,
      enableTrailers: http1.enableTrailers,
      sendFullyQualifiedUrl: http1.sendFullyQualifiedUrl,
      headerKeyFormat: headerKeyFormats[http1.headerKeyFormat],
    };
  }

  private h2Options(): H2ClientOptions {
    const { http2, maxResponseHeaderBytes, maxResponseHeaderCount } = this.data;
    return {
      ...http2,
      headersBytesMax: maxResponseHeaderBytes,
      headersCountMax: maxResponseHeaderCount,
      counters: new Http2Counters(this.scope),
    };
  }
}
