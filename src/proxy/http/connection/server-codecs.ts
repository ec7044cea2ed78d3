import { Http2Counters } from '../../../cluster/protocol/http2-counters.ts';
import type { CodecHost, ServerCodec, StreamAcceptor } from '../../../codec/codec.ts';
import { HeaderKeyFormat, UnderscoreAction, type H1ServerOptions } from '../../../codec/h1/options.ts';
import { H1ServerCodec } from '../../../codec/h1/server.ts';
import { Setting } from '../../../codec/h2/frame/settings.ts';
import type { H2ServerOptions } from '../../../codec/h2/options.ts';
import { H2ServerCodec } from '../../../codec/h2/server.ts';
import { HttpVersion } from '../../../core/head.ts';
import { runtimeInteger, type RuntimeView } from '../../../core/runtime-view.ts';
import type { StatsScope } from '../../../observe/stats/stats.ts';
import type { HcmData, StringMatchData } from '../hcm-data.ts';
import { Http1Counters } from '../stats/http1-counters.ts';
import type { HttpOverload } from '../overload/http-overload.ts';

/** Envoy's defaults of `overload.premature_reset_total_stream_count` and `…_min_stream_lifetime_seconds`. */
const prematureResetStreams = 500;
const prematureResetLifetimeSeconds = 1;

const underscoreActions = {
  ALLOW: UnderscoreAction.Allow,
  REJECT_REQUEST: UnderscoreAction.Reject,
  DROP_HEADER: UnderscoreAction.Drop,
} as const;

export const headerKeyFormats = {
  lower: HeaderKeyFormat.LowerCase,
  'proper-case': HeaderKeyFormat.ProperCase,
  'preserve-case': HeaderKeyFormat.PreserveCase,
} as const;

/** Makes the codecs of a connection manager's connections. */
export class ServerCodecs {
  private readonly h1: H1ServerOptions;
  /** Made when the first client speaks it: Envoy lists `http2.*` from then on. */
  private h2: H2ServerOptions | null;
  private readonly data: HcmData;
  private readonly root: StatsScope;
  private readonly runtime: RuntimeView;
  private readonly overload: HttpOverload | null;

  /** `root`: the root scope of the stats. */
  constructor(data: HcmData, root: StatsScope, runtime: RuntimeView, overload: HttpOverload | null = null) {
    this.overload = overload;
    this.h1 = h1Options(data, new Http1Counters(root));
    this.h2 = null;
    this.data = data;
    this.root = root;
    this.runtime = runtime;
  }

  open(version: HttpVersion, host: CodecHost, acceptor: StreamAcceptor): ServerCodec {
    const { overload } = this;
    if (version !== HttpVersion.Http2)
      return overload?.openHttp1(host, acceptor, this.h1) ?? new H1ServerCodec(host, acceptor, this.h1);
    const options = this.http2Options();
    return overload?.openHttp2(host, acceptor, options) ?? new H2ServerCodec(host, acceptor, options);
  }

  private http2Options(): H2ServerOptions {
    const { runtime } = this;
    this.h2 ??= this.madeHttp2Options();
    const streams = runtimeInteger(runtime, 'overload.premature_reset_total_stream_count', prematureResetStreams);
    const seconds = runtimeInteger(
      runtime,
      'overload.premature_reset_min_stream_lifetime_seconds',
      prematureResetLifetimeSeconds,
    );
    const isUsual = streams === prematureResetStreams && seconds === prematureResetLifetimeSeconds;
    return isUsual
      ? this.h2
      : {
          ...this.h2,
          prematureResetTotalStreamCount: streams,
          prematureResetMinStreamLifetimeMs: seconds * 1000,
        };
  }

  private madeHttp2Options(): H2ServerOptions {
    const options = h2Options(this.data, new Http2Counters(this.root));
    return this.overload === null ? options : this.overload.http2Options(options);
  }
}

function h1Options({ http1, limits, timeouts }: HcmData, counters: Http1Counters): H1ServerOptions {
  return {
    headersBytesMax: limits.headerBytesMax,
    headersCountMax: limits.headerCountMax,
    acceptHttp10: http1.acceptHttp10,
    allowAbsoluteUrl: http1.allowAbsoluteUrl,
    allowChunkedLength: http1.allowChunkedLength,
    allowCustomMethods: http1.allowCustomMethods,
    enableTrailers: http1.enableTrailers,
    headersWithUnderscores: underscoreActions[limits.headersWithUnderscores],
    ignoredUpgrades: http1.ignoredUpgrades.map((match) => new UpgradeMatcher(match)),
    headerKeyFormat: headerKeyFormats[http1.headerKeyFormat],
    counters,
    acceptsEarly: timeouts.requestHeadersMs > 0,
  };
}

function h2Options({ http2, limits, timeouts }: HcmData, counters: Http2Counters): H2ServerOptions {
  const custom = new Map(http2.customSettings);
  const setting = (id: number, named: number): number => {
    const value = custom.get(id);
    custom.delete(id);
    return value ?? named;
  };
  return {
    ...http2,
    // A custom parameter counts as the field of its meaning, which is not set then.
    hpackTableSize: setting(Setting.HeaderTableSize, http2.hpackTableSize),
    maxConcurrentStreams: setting(Setting.MaxConcurrentStreams, http2.maxConcurrentStreams),
    initialStreamWindowSize: setting(Setting.InitialWindowSize, http2.initialStreamWindowSize),
    customSettings: [...custom],
    headersBytesMax: limits.headerBytesMax,
    headersCountMax: limits.headerCountMax,
    headersWithUnderscores: underscoreActions[limits.headersWithUnderscores],
    drainMs: timeouts.drainMs,
    streamFlushMs: timeouts.streamFlushMs,
    prematureResetTotalStreamCount: prematureResetStreams,
    prematureResetMinStreamLifetimeMs: prematureResetLifetimeSeconds * 1000,
    counters,
  };
}

/** `ignore_http_11_upgrade`: one string matcher on the Upgrade field's value. */
class UpgradeMatcher {
  private readonly match: StringMatchData;

  constructor(match: StringMatchData) {
    this.match = match;
  }

  matches(value: string): boolean {
    const { kind, ignoreCase } = this.match;
    const wanted = ignoreCase ? this.match.value.toLowerCase() : this.match.value;
    const found = ignoreCase ? value.toLowerCase() : value;
    if (kind === 'exact') return found === wanted;
    if (kind === 'prefix') return found.startsWith(wanted);
    return kind === 'suffix' ? found.endsWith(wanted) : found.includes(wanted);
  }
}
