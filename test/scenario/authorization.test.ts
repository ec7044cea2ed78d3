import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { status } from '@grpc/grpc-js';
import { request } from 'undici';
import { beforeAll, describe, expect, test } from 'vitest';
import { CheckRequestSchema, CheckResponseSchema } from '../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import { serveMethod, type Said } from './grpc-service.ts';
import { guarded } from './guarded.ts';
import { Origin } from './origin.ts';
import { forSuite } from './scope.ts';

const message = 'ext_authz.v3.ExtAuthz';

async function ask(url: string, path: string, body?: string) {
  const method = body === undefined ? 'GET' : 'POST';
  const answer = await request(url + path, { method, headers: { 'x-user': 'forged' }, ...(body ? { body } : {}) });
  return { status: answer.statusCode, why: answer.headers['x-why'], body: await answer.body.text() };
}

const says = (answer: MessageInitShape<typeof CheckResponseSchema>): Uint8Array =>
  toBinary(CheckResponseSchema, create(CheckResponseSchema, answer));

function authorize(question: Buffer): Said {
  const { http } = fromBinary(CheckRequestSchema, question).attributes!.request!;
  const { path, body } = http!;
  if (path === '/broken') return { code: status.INTERNAL };
  if (path === '/slow') return null;
  if (path !== '/denied')
    return says({
      status: { code: 0 },
      httpResponse: {
        case: 'okResponse',
        value: {
          headers: [{ header: { key: 'x-user', value: `alice with '${body}'` } }],
          responseHeadersToAdd: [{ header: { key: 'x-why', value: 'allowed' } }],
        },
      },
    });
  return says({
    status: { code: status.PERMISSION_DENIED },
    httpResponse: {
      case: 'deniedResponse',
      value: { status: { code: 401 }, headers: [{ header: { key: 'x-why', value: 'denied' } }], body: 'not you' },
    },
  });
}

describe('an authorization server of @grpc/grpc-js', () => {
  const atEnd = forSuite();
  let url: string;
  beforeAll(async () => {
    const port = await serveMethod('/envoy.service.auth.v3.Authorization/Check', authorize, atEnd);
    const settings = {
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: 'guard' }, timeout: '1s' },
      with_request_body: { max_request_bytes: 4, allow_partial_message: true },
      status_on_error: { code: 'ServiceUnavailable' },
    };
    url = await guarded({ port, isGrpc: true }, message, settings, atEnd);
  });

  test.each([
    ['/fine', undefined, { status: 200, why: 'allowed', body: "GET /fine of alice with ''" }],
    ['/fine', 'hello', { status: 200, why: 'allowed', body: "POST /fine of alice with 'hell'" }],
    ['/denied', undefined, { status: 401, why: 'denied', body: 'not you' }],
    ['/broken', undefined, { status: 503, why: undefined, body: '' }],
    ['/slow', undefined, { status: 503, why: undefined, body: '' }],
  ])('%s with %s', async (path, body, wanted) => {
    expect(await ask(url, path, body)).toEqual(wanted);
  });

  test('hundreds at once', async () => {
    const answers = await Promise.all(Array.from({ length: 300 }, (_, i) => ask(url, i % 3 === 0 ? '/denied' : '/a')));
    expect(answers.map((answer) => answer.status)).toEqual(answers.map((_, i) => (i % 3 === 0 ? 401 : 200)));
  });
});

describe('an authorization server of node:http', () => {
  const atEnd = forSuite();
  let url: string;
  beforeAll(async () => {
    const server = await Origin.start(
      (asked, response) => {
        if (asked.url === '/check/slow') return;
        const code = { '/check/denied': 401, '/check/broken': 500 }[asked.url!] ?? 200;
        response.writeHead(code, { 'x-why': 'because', 'x-user': 'alice', 'x-secret': 's' });
        response.end(code === 200 ? '' : 'not you');
      },
      { atEnd },
    );
    const settings = {
      transport_api_version: 'V3',
      http_service: {
        path_prefix: '/check',
        server_uri: { uri: 'http://authz.example', cluster: 'guard', timeout: '1s' },
        authorization_response: {
          allowed_upstream_headers: { patterns: [{ exact: 'x-user' }] },
          allowed_client_headers: { patterns: [{ exact: 'x-why' }] },
          allowed_client_headers_on_success: { patterns: [{ exact: 'x-why' }] },
        },
      },
    };
    url = await guarded({ port: server.port, isGrpc: false }, message, settings, atEnd);
  });

  test.each([
    ['/fine', { status: 200, why: 'because', body: 'GET /fine of alice' }],
    ['/denied', { status: 401, why: 'because', body: 'not you' }],
    ['/broken', { status: 403, why: undefined, body: '' }],
    ['/slow', { status: 403, why: undefined, body: '' }],
  ])('%s', async (path, wanted) => {
    expect(await ask(url, path)).toEqual(wanted);
  });
});
