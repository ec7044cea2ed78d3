import { HeldBytes } from '../../codec/h2/flow/held-bytes.ts';
import { ErrorCode } from '../../codec/h2/frame/error-code.ts';
import { Setting } from '../../codec/h2/frame/settings.ts';
import {
  defaultClientOptions,
  defaultServerOptions,
  type H2ClientOptions,
  type H2ServerOptions,
} from '../../codec/h2/options.ts';

/** What an operator may change of HBONE. Bytes, milliseconds. The defaults are ztunnel's. */
export interface HboneSettings {
  /** HTTP2_STREAM_WINDOW_SIZE */
  readonly streamWindowBytes: number;
  /** HTTP2_CONNECTION_WINDOW_SIZE */
  readonly connectionWindowBytes: number;
  /** HTTP2_FRAME_SIZE */
  readonly frameBytes: number;
  /** POOL_MAX_STREAMS_PER_CONNECTION */
  readonly streamsPerConnectionMax: number;
  /** POOL_UNUSED_RELEASE_TIMEOUT */
  readonly unusedReleaseMs: number;
  readonly connectTimeoutMs: number;
}

export const defaultHboneSettings: HboneSettings = {
  streamWindowBytes: 4 * 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  frameBytes: 1024 * 1024,
  streamsPerConnectionMax: 100,
  unusedReleaseMs: 300_000,
  connectTimeoutMs: 10_000,
};

/** Bytes of a DATA frame: what one read in bulk takes, so that it leaves in one piece. */
const sentFrameBytesMax = 256 * 1024;

/** Streams that a server lets a client have at a time. ztunnel's. */
const serverStreamsMax = 200;

/** Bytes of a head: a client's and a server's limit. ztunnel's. */
const responseHeadBytesMax = 16 * 1024;
const requestHeadBytesMax = 64 * 1024;

/**
 * A peer that is gone is noticed within so long where nothing is asked of it, and within `answerMs` where a new tunnel is
 * opened on a connection that was quiet. ztunnel asks as often and waits 20 s.
 */
const pingEveryMs = 10_000;
const answerMs = 5000;
const quietMs = 1000;

/** Resets of a peer that its certificate names: applications reset thousands of short connections in a burst. */
const resetBurst = 20_000;
const resetsPerSecond = 2000;

/** What slow readers of all tunnels of a thread may hold before they stall others on their connections. */
const heldBytesMax = 256 * 1024 * 1024;
const heldBytes = new HeldBytes(heldBytesMax);

const keepAlive = { intervalMs: pingEveryMs, timeoutMs: answerMs, jitter: 0.1, idleIntervalMs: quietMs } as const;

export function hboneClientOptions(settings: HboneSettings): H2ClientOptions {
  return {
    ...defaultClientOptions,
    ...shared(settings, responseHeadBytesMax),
    maxConcurrentStreams: settings.streamsPerConnectionMax,
    headersBytesMax: responseHeadBytesMax,
    keepAlive,
  };
}

export function hboneServerOptions(settings: HboneSettings, drainMs: number): H2ServerOptions {
  return {
    ...defaultServerOptions,
    ...shared(settings, requestHeadBytesMax),
    maxConcurrentStreams: serverStreamsMax,
    headersBytesMax: requestHeadBytesMax,
    keepAlive,
    drainMs,
    // A tunnel's last bytes may wait for as long as its reader likes, as on a socket.
    streamFlushMs: 0,
    prematureResetTotalStreamCount: Infinity,
  };
}

function shared({ streamWindowBytes, connectionWindowBytes, frameBytes }: HboneSettings, headBytes: number) {
  return {
    initialStreamWindowSize: streamWindowBytes,
    initialConnectionWindowSize: connectionWindowBytes,
    dataFrameBytesMax: frameBytes,
    sentFrameBytesMax,
    customSettings: [
      [Setting.MaxFrameSize, frameBytes],
      [Setting.MaxHeaderListSize, headBytes],
    ] as const,
    giveUpCode: ErrorCode.Cancel,
    heldBytes,
    streamResetBurst: resetBurst,
    streamResetRate: resetsPerSecond,
    // One malformed request must not end the tunnels beside it.
    streamErrorOnInvalidHttpMessage: true,
  };
}
