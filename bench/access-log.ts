/**
 * Micro-bench of what a request pays in the observe room: a log line, and the counters and histograms it touches.
 * `node bench/access-log.ts`; nanoseconds per operation, the best of several rounds.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HttpVersion, RequestHead, ResponseHead } from '../src/core/head.ts';
import { Headers } from '../src/core/headers.ts';
import type { Address } from '../src/core/peer.ts';
import { DEFAULT_FORMAT, type FormatData } from '../src/observe/access-log/access-log-data.ts';
import { buildAccessLog, buildFormat } from '../src/observe/access-log/build.ts';
import { AccessLogFiles } from '../src/observe/access-log/access-log-files.ts';
import { Outcome } from '../src/observe/outcome.ts';
import { SharedNumberDirectory, SharedNumbers } from '../src/observe/limit/shared-limit.ts';
import { WorkerStats } from '../src/observe/stats/worker-stats.ts';

const ROUNDS = 7;
const CALLS = 200_000;

const JSON_FORMAT: FormatData = {
  kind: 'json',
  omitEmptyValues: false,
  extensions: [],
  contentType: '',
  template: {
    start_time: '%START_TIME%',
    method: '%REQ(:METHOD)%',
    path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
    protocol: '%PROTOCOL%',
    response_code: '%RESPONSE_CODE%',
    response_flags: '%RESPONSE_FLAGS%',
    bytes_received: '%BYTES_RECEIVED%',
    bytes_sent: '%BYTES_SENT%',
    duration: '%DURATION%',
    authority: '%REQ(:AUTHORITY)%',
    request_id: '%REQ(X-REQUEST-ID)%',
    upstream_host: '%UPSTREAM_HOST%',
  },
};

function sampleOutcome(): Outcome {
  const address = (port: number): Address => ({ kind: 'ip', host: '127.0.0.1', port });
  const outcome = new Outcome();
  outcome.startEpochMs = 1_795_260_059_011.61;
  outcome.endMs = 3.7;
  outcome.protocol = 'HTTP/1.1';
  outcome.responseCode = 200;
  outcome.bytesReceived = 123;
  outcome.bytesSent = 100;
  outcome.upstreamHost = '127.0.0.1:9000';
  outcome.peer = {
    remote: address(40_000),
    local: address(80),
    directRemote: address(40_000),
    directLocal: address(80),
    serverName: '',
    alpn: '',
    transportProtocol: 'raw_buffer',
    applicationProtocols: [],
    ja3: '',
    ja4: '',
    tls: null,
  };
  const headers = Headers.of(
    ['user-agent', 'curl/8.5.0'],
    ['accept', '*/*'],
    ['x-forwarded-for', '10.0.0.1'],
    ['x-forwarded-proto', 'http'],
    ['x-request-id', '25a5919a-d635-4c4c-9ab5-f4800a45d1e8'],
  );
  outcome.requestHead = new RequestHead('GET', 'bookinfo.test', '/reviews/7?verbose=1', HttpVersion.Http11, headers);
  outcome.responseHead = new ResponseHead(200, Headers.of(['x-envoy-upstream-service-time', '3']));
  return outcome;
}

function measure(name: string, call: (i: number) => void): void {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < CALLS; i++) call(i);
    best = Math.min(best, Number(process.hrtime.bigint() - start) / CALLS);
  }
  console.log(`${name.padEnd(44)} ${best.toFixed(1).padStart(8)} ns`);
}

/** As `measure`, with the lines written to a file now and then, as a worker does between its requests. */
async function measureLog(name: string, format: FormatData, path: string): Promise<void> {
  const files = new AccessLogFiles(10_000);
  const log = buildAccessLog({ name, filter: null, sink: { kind: 'file', path }, format }, files);
  const outcome = sampleOutcome();
  let best = Infinity;
  for (let round = 0; round < ROUNDS * 20; round++) {
    const start = process.hrtime.bigint();
    const calls = CALLS / 100;
    for (let i = 0; i < calls; i++) {
      outcome.startEpochMs += 0.05;
      outcome.bytesSent = i;
      log.log(outcome);
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / calls);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await files.close();
  console.log(`${name.padEnd(44)} ${best.toFixed(1).padStart(8)} ns`);
}

const outcome = sampleOutcome();
const text = buildFormat(DEFAULT_FORMAT);
const json = buildFormat(JSON_FORMAT);
let length = 0;
measure('default text line, formatted', (i) => {
  outcome.startEpochMs += 0.05;
  outcome.bytesSent = i;
  length += text.format(outcome).length;
});
measure('JSON line of 12 operators, formatted', (i) => {
  outcome.startEpochMs += 0.05;
  outcome.bytesSent = i;
  length += json.format(outcome).length;
});

const folder = mkdtempSync(join(tmpdir(), 'sekisho-bench-'));
await measureLog('default text line, written to a file', DEFAULT_FORMAT, join(folder, 'text.log'));
await measureLog('JSON line of 12 operators, written to a file', JSON_FORMAT, join(folder, 'json.log'));
rmSync(folder, { recursive: true });

const stats = new WorkerStats(() => undefined);
const counter = stats.root.counter('counter');
const gauge = stats.root.gauge('gauge');
const histogram = stats.root.histogram('histogram');
measure('counter.inc', () => counter.inc());
measure('gauge.inc and dec', () => {
  gauge.inc();
  gauge.dec();
});
measure('histogram.record below 100', (i) => histogram.record((i % 97) + 0.4));
measure('histogram.record up to 10 000', (i) => histogram.record(i % 9973));

const directory = new SharedNumberDirectory();
const shared = new SharedNumbers(directory.join('bench')).slot(directory.allot('key'));
measure('shared number tryInc and dec', () => {
  shared.tryInc(1024);
  shared.dec();
});
if (length === 0) throw new Error('nothing was formatted');
