import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { counted, overloadManager, pressed, relieved } from './pressure.ts';

const names = ['reduce_timeouts'];

const under = (pressure: number, row: Row): Row => ({
  ...pressed(names, pressure === 0 ? null : 'reduce_timeouts', pressure),
  ...row,
});

/** Timeouts that nobody waits for, and what they are reduced to. */
const config = (factors: readonly object[], hcm: string): string =>
  http({
    hcm,
    bootstrap: overloadManager({
      actions: names,
      trigger: { scaled: { scaling_threshold: 0.5, saturation_threshold: 0.9 } },
      typed: {
        reduce_timeouts: {
          '@type': 'type.googleapis.com/envoy.config.overload.v3.ScaleTimersOverloadActionConfig',
          timer_scale_factors: factors,
        },
      },
    }),
  });

const streams: Group = {
  name: 'overload: reduced stream timeouts',
  config: config([{ timer: 'HTTP_DOWNSTREAM_STREAM_IDLE', min_timeout: '0.2s' }], 'stream_idle_timeout: 60s'),
  files: relieved(names),
  stats: counted,
  rows: [
    under(0, { name: 'idle streams have time', request: {}, upstream: [{ delayMs: 500 }] }),
    under(0.9, { name: 'idle streams have little', request: {}, upstream: [{ delayMs: 1500 }] }),
    under(0.9, {
      name: 'idle requests have little',
      raw: 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf',
    }),
    under(0.7, { name: 'half of the pressure, half of the way', request: {}, upstream: [{ delayMs: 500 }] }),
    under(0.7, {
      name: 'stats of a scaled action',
      admin: '/stats?filter=^overload.envoy.overload_actions',
    }),
  ],
};

const connections: Group = {
  name: 'overload: reduced connection timeouts',
  config: config(
    [{ timer: 'HTTP_DOWNSTREAM_CONNECTION_IDLE', min_scale: { value: 0.5 } }],
    'drain_timeout: 0.1s\ndelayed_close_timeout: 0.1s\ncommon_http_protocol_options: { idle_timeout: 60s }',
  ),
  files: relieved(names),
  stats: counted,
  rows: [
    under(0.95, { name: 'idle connections have little time', request: {}, waitMs: 2500, until: 'closed' }),
    under(0.95, { name: 'with nothing too', raw: '', answers: 0, logLines: 0, waitMs: 2500, until: 'closed' }),
    under(0, { name: 'and have it again', request: [{}, {}], pauseMs: 600 }),
  ],
};

const durations: Group = {
  name: 'overload: reduced connection durations',
  config: config(
    [{ timer: 'HTTP_DOWNSTREAM_CONNECTION_MAX', min_timeout: '0.3s' }],
    'drain_timeout: 0.1s\ndelayed_close_timeout: 0.1s\ncommon_http_protocol_options: { max_connection_duration: 60s }',
  ),
  files: relieved(names),
  stats: counted,
  rows: [
    under(0.95, { name: 'connections last a short time', request: {}, waitMs: 2500, until: 'closed' }),
    under(0, { name: 'and a long one again', request: [{}, {}], pauseMs: 600 }),
  ],
};

export const reducedTimeouts: readonly Group[] = [streams, connections, durations];
