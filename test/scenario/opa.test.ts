import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { freePorts } from '../peers/ports.ts';
import { guarded } from './guarded.ts';
import { run, without } from './program.ts';
import { forSuite } from './scope.ts';
import { until } from './wait.ts';

const policy = `
package envoy.authz

import rego.v1

asked := input.attributes.request.http

default decision := {
  "allowed": false,
  "http_status": 401,
  "headers": {"x-why": "nobody may", "www-authenticate": "Basic"},
  "body": "who are you?",
}

decision := {
  "allowed": true,
  "headers": {"x-user": "alice"},
  "response_headers_to_add": {"x-why": concat(" ", ["may read", asked.host])},
} if {
  asked.method == "GET"
  input.parsed_path == ["public"]
  input.parsed_query.page == ["2"]
}

decision := {"allowed": true, "headers": {"x-user": input.parsed_body.name}} if {
  asked.method == "POST"
  input.parsed_body.name in ["bob", "carol"]
}

decision := {"allowed": false} if input.parsed_path == ["forbidden"]
`;

const settings = {
  transport_api_version: 'V3',
  grpc_service: { envoy_grpc: { cluster_name: 'guard' }, timeout: '5s' },
  with_request_body: { max_request_bytes: 8192, allow_partial_message: true },
};

describe.skipIf(without('Open Policy Agent', ['opa-envoy-plugin']))('Open Policy Agent', () => {
  const atEnd = forSuite();
  let url: string;
  beforeAll(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sekisho-opa-'));
    atEnd(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'policy.rego');
    writeFileSync(file, policy);
    const [port, apiPort, healthPort] = await freePorts(3);
    const plugin = `plugins.envoy_ext_authz_grpc.addr=127.0.0.1:${port}`;
    const path = 'plugins.envoy_ext_authz_grpc.path=envoy/authz/decision';
    const addresses = [`--addr=127.0.0.1:${apiPort}`, `--diagnostic-addr=127.0.0.1:${healthPort}`];
    const quietly = ['--disable-telemetry', '--skip-version-check', '--log-level=error'];
    run(
      'opa-envoy-plugin',
      ['run', '--server', ...addresses, ...quietly, '--set', plugin, '--set', path, file],
      {},
      atEnd,
    );
    await until('OPA', async () => {
      const answer = await fetch(`http://127.0.0.1:${healthPort}/health?plugins`).catch(() => null);
      return answer?.status === 200;
    });
    url = await guarded({ port, isGrpc: true }, 'ext_authz.v3.ExtAuthz', settings, atEnd);
  });

  async function ask(path: string, body?: object) {
    const method = body === undefined ? 'GET' : 'POST';
    const headers = { 'x-user': 'forged', host: 'shop.test', 'content-type': 'application/json' };
    const answer = await request(url + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    const { 'x-why': why, 'www-authenticate': scheme } = answer.headers;
    return { status: answer.statusCode, why, scheme, body: await answer.body.text() };
  }

  test('allows, says to whom the request belongs, and adds to the answer', async () => {
    const wanted = { status: 200, why: 'may read shop.test', scheme: undefined, body: 'GET /public?page=2 of alice' };
    expect(await ask('/public?page=2')).toEqual(wanted);
  });

  test('allows what it has read in the body', async () => {
    const wanted = { status: 200, why: undefined, scheme: undefined, body: 'POST /people of bob' };
    expect(await ask('/people', { name: 'bob' })).toEqual(wanted);
  });

  test.each([
    ['/public?page=3', undefined],
    ['/people', { name: 'mallory' }],
    ['/people', {}],
  ])('denies %s with %j, with status, fields and body', async (path, body) => {
    const wanted = { status: 401, why: 'nobody may', scheme: 'Basic', body: 'who are you?' };
    expect(await ask(path, body)).toEqual(wanted);
  });

  test('denies with no more than a no', async () => {
    expect(await ask('/forbidden')).toEqual({ status: 403, why: undefined, scheme: undefined, body: '' });
  });

  test('hundreds at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, i) => ask('/people', { name: i % 3 === 0 ? 'mallory' : 'carol' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map((_, i) => (i % 3 === 0 ? 401 : 200)));
  });
});
