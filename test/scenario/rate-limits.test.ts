import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { RateLimitRequestSchema, RateLimitResponseSchema } from '../../src/proto/envoy/service/ratelimit/v3/rls_pb.js';
import { freePorts } from '../peers/ports.ts';
import { serveMethod, type Said } from './grpc-service.ts';
import { guarded } from './guarded.ts';
import { run, without } from './program.ts';
import { forSuite } from './scope.ts';
import { until } from './wait.ts';

const message = 'ratelimit.v3.RateLimit';
const settings = {
  domain: 'shop',
  timeout: '1s',
  failure_mode_deny: true,
  enable_x_ratelimit_headers: 'DRAFT_VERSION_03',
  rate_limit_service: { transport_api_version: 'V3', grpc_service: { envoy_grpc: { cluster_name: 'guard' } } },
};
const byUser = { rate_limits: [{ actions: [{ request_headers: { header_name: 'x-user', descriptor_key: 'user' } }] }] };

async function ask(url: string, user: string) {
  const { statusCode, headers, body } = await request(url, { headers: { 'x-user': user } });
  await body.dump();
  return { status: statusCode, limited: headers['x-envoy-ratelimited'], left: headers['x-ratelimit-remaining'] };
}

const says = (answer: MessageInitShape<typeof RateLimitResponseSchema>): Uint8Array =>
  toBinary(RateLimitResponseSchema, create(RateLimitResponseSchema, answer));

describe('a rate limit service of @grpc/grpc-js', () => {
  const atEnd = forSuite();
  const counts = new Map<string, number>();
  let url: string;
  const decide = (question: Buffer): Said => {
    const { domain, descriptors } = fromBinary(RateLimitRequestSchema, question);
    const [{ key, value }] = descriptors[0].entries;
    if (value === 'broken') return { code: status.INTERNAL };
    if (value === 'slow') return null;
    const count = (counts.get(`${domain} ${key} ${value}`) ?? 0) + 1;
    counts.set(`${domain} ${key} ${value}`, count);
    const overallCode = count > 2 ? 2 : 1;
    const limitRemaining = Math.max(0, 2 - count);
    const currentLimit = { requestsPerUnit: 2, unit: 4 };
    return says({ overallCode, statuses: [{ code: overallCode, limitRemaining, currentLimit }] });
  };
  beforeAll(async () => {
    const port = await serveMethod('/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit', decide, atEnd);
    url = await guarded({ port, isGrpc: true }, message, settings, atEnd, byUser);
  });

  test('two of each user', async () => {
    for (const user of ['a', 'b']) {
      expect(await ask(url, user)).toEqual({ status: 200, limited: undefined, left: '1' });
      expect(await ask(url, user)).toEqual({ status: 200, limited: undefined, left: '0' });
      expect(await ask(url, user)).toEqual({ status: 429, limited: 'true', left: '0' });
    }
    expect([...counts]).toEqual([
      ['shop user a', 3],
      ['shop user b', 3],
    ]);
  });

  test.each(['broken', 'slow'])('who is %s denies, as is configured', async (user) => {
    expect(await ask(url, user)).toEqual({ status: 500, limited: undefined, left: undefined });
  });
});

describe.skipIf(without("Envoy's rate limit service", ['ratelimit', 'redis-server']))(
  "Envoy's own rate limit service",
  () => {
    const atEnd = forSuite();
    let url: string;
    beforeAll(async () => {
      const folder = mkdtempSync(join(tmpdir(), 'sekisho-ratelimit-'));
      atEnd(() => rmSync(folder, { recursive: true, force: true }));
      const config = join(folder, 'limits', 'config');
      mkdirSync(config, { recursive: true });
      // A year in which nobody sees the clock strike.
      const limits = '{ domain: shop, descriptors: [{ key: user, rate_limit: { unit: year, requests_per_unit: 2 } }] }';
      writeFileSync(join(config, 'shop.yaml'), limits);
      const socket = join(folder, 'redis');
      run('redis-server', ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no'], {}, atEnd);
      const [port, httpPort, debugPort] = await freePorts(3);
      const ports = { GRPC_PORT: String(port), PORT: String(httpPort), DEBUG_PORT: String(debugPort) };
      const hosts = { GRPC_HOST: '127.0.0.1', HOST: '127.0.0.1', DEBUG_HOST: '127.0.0.1' };
      const redis = { REDIS_SOCKET_TYPE: 'unix', REDIS_URL: socket, REDIS_TYPE: 'single' };
      const runtime = { RUNTIME_ROOT: folder, RUNTIME_SUBDIRECTORY: 'limits', RUNTIME_WATCH_ROOT: 'false' };
      await until('redis', () => existsSync(socket));
      run(
        'ratelimit',
        [],
        { ...ports, ...hosts, ...redis, ...runtime, USE_STATSD: 'false', LOG_LEVEL: 'error' },
        atEnd,
      );
      await until('the service', async () => {
        const answer = await fetch(`http://127.0.0.1:${httpPort}/healthcheck`).catch(() => null);
        return answer?.status === 200;
      });
      url = await guarded({ port, isGrpc: true }, message, settings, atEnd, byUser);
    });

    test('two of each user', async () => {
      for (const user of ['a', 'b']) {
        expect(await ask(url, user)).toEqual({ status: 200, limited: undefined, left: '1' });
        expect(await ask(url, user)).toEqual({ status: 200, limited: undefined, left: '0' });
        expect(await ask(url, user)).toEqual({ status: 429, limited: 'true', left: '0' });
      }
    });
  },
);
