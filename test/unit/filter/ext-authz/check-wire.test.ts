import { create, fromBinary, toBinary, toJson, type MessageInitShape } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { checkedBody, nothingSaid } from '../../../../src/filter/ext-authz/check.ts';
import {
  CheckRequestWriter,
  labelsOf,
  type CheckRequestSettings,
} from '../../../../src/filter/ext-authz/message/check-request.ts';
import { readCheckResponse } from '../../../../src/filter/ext-authz/message/check-response.ts';
import { SentHeaders } from '../../../../src/filter/ext-authz/message/sent-headers.ts';
import { WireError } from '../../../../src/filter/wire/wire-cursor.ts';
import {
  CheckRequestSchema,
  CheckResponseSchema,
} from '../../../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import * as fc from '../../../property/chance.ts';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const everything: CheckRequestSettings = {
  headers: new SentHeaders([], [], 'grpc'),
  encodesRawHeaders: false,
  includesPeerCertificate: true,
  includesTlsSession: true,
  metadataNamespaces: ['a', 'missing'],
  routeMetadataNamespaces: ['r'],
  labels: [['app', 'here']],
};

const certificate = { pem: 'PEM line\n', uris: [], dnsNames: ['dns.test'], subject: 'CN=x' };

function written(settings: Partial<CheckRequestSettings>, body: string | null = null) {
  const context = filterContext();
  const stream = new TestStream(
    context,
    request([
      ['x-a', '1'],
      ['x-a', '\xc3\xa4'],
      ['x-bad', '\xe4'],
    ]),
  );
  const { outcome } = stream;
  outcome.startEpochMs = 1500.25;
  outcome.protocol = 'HTTP/1.1';
  outcome.bytesReceived = 7;
  outcome.dynamicMetadata = new Map([['a', { n: 1.5, list: ['x', null, { deep: true }], no: false }]]);
  outcome.routeMetadata = { r: { s: 'text' } };
  const remote = { kind: 'ip', host: '10.0.0.1', port: 5 } as const;
  const tls = { peerChain: [certificate], local: { ...certificate, uris: ['spiffe://own'] } };
  outcome.peer = {
    remote,
    local: { kind: 'pipe', host: '/socket', port: 0 },
    serverName: '',
    tls: { ...tls, serverName: 'sni.test' },
  } as never;
  const bytes = new CheckRequestWriter({ ...everything, ...settings }).write({
    stream,
    head: stream.requestHead,
    body: body === null ? null : checkedBody([Buffer.from(body, 'latin1')], 4, false),
    contextExtensions: { k: 'v' },
  });
  return toJson(CheckRequestSchema, fromBinary(CheckRequestSchema, bytes)) as { attributes: Record<string, never> };
}

describe('what is asked', () => {
  test('labels are texts of the node', () => {
    const metadata = { l: { b: 'ä', a: '1', n: 5 }, text: 'x', list: ['x'], nothing: null };
    expect(labelsOf('l', metadata)).toEqual([
      ['a', '1'],
      ['b', '\xc3\xa4'],
      ['n', ''],
    ]);
    for (const key of ['', 'text', 'list', 'nothing', 'other', 'toString']) expect(labelsOf(key, metadata)).toEqual([]);
    expect(labelsOf('l', undefined)).toEqual([]);
  });

  test('protobuf reads it', () => {
    const { attributes } = written({});
    expect(attributes).toMatchObject({
      source: {
        address: { socketAddress: { address: '10.0.0.1', portValue: 5 } },
        principal: 'dns.test',
        certificate: 'PEM%20line%0A',
      },
      destination: { address: { pipe: { path: '/socket' } }, principal: 'spiffe://own', labels: { app: 'here' } },
      request: { time: '1970-01-01T00:00:01.500250Z', http: { method: 'GET', size: '7', protocol: 'HTTP/1.1' } },
      contextExtensions: { k: 'v' },
      metadataContext: { filterMetadata: { a: { n: 1.5, list: ['x', null, { deep: true }], no: false } } },
      routeMetadataContext: { filterMetadata: { r: { s: 'text' } } },
      tlsSession: { sni: 'sni.test' },
    });
    expect(attributes['request']['http']['headers']).toMatchObject({ 'x-a': '1,ä', 'x-bad': '!', ':method': 'GET' });
  });

  test('bodies, in part', () => {
    const { http } = written({}, 'long \xe4')['attributes']['request'] as { http: Record<string, never> };
    expect([http['body'], http['headers']['x-envoy-auth-partial-body']]).toEqual(['long', 'true']);
  });

  test('fields as bytes', () => {
    const { http } = written({ encodesRawHeaders: true })['attributes']['request'] as { http: Record<string, never> };
    expect(http['headerMap']['headers']).toContainEqual({ key: 'x-bad', rawValue: Buffer.of(0xe4).toString('base64') });
  });
});

type Answer = MessageInitShape<typeof CheckResponseSchema>;
const encoded = (answer: Answer): Uint8Array => toBinary(CheckResponseSchema, create(CheckResponseSchema, answer));

describe('what is answered', () => {
  test('nothing is ok', () => {
    expect(readCheckResponse(encoded({}))).toEqual({ ...nothingSaid, verdict: 'ok' });
  });

  test('metadata of the older place wins', () => {
    const value = { dynamicMetadata: { inner: 1 } };
    const answer = readCheckResponse(
      encoded({ httpResponse: { case: 'okResponse', value }, dynamicMetadata: { outer: [true] } }),
    );
    expect(answer.metadata).toEqual({ inner: 1 });
    expect(readCheckResponse(encoded({ dynamicMetadata: { outer: [true] } })).metadata).toEqual({ outer: [true] });
  });

  test('names of every object are fields like others', () => {
    const { metadata } = readCheckResponse(
      encoded({ dynamicMetadata: JSON.parse('{"__proto__": {"x": 1}}') as never }),
    );
    expect(Object.getOwnPropertyNames(metadata)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
  });

  test('structs within structs end somewhere', () => {
    let nested: unknown = 1;
    for (let i = 0; i < 120; i++) nested = { n: nested };
    expect(() => readCheckResponse(encoded({ dynamicMetadata: nested as never }))).toThrow(WireError);
  });

  test('any bytes are an answer or an error of their own', () => {
    const good = encoded({
      status: { code: 7 },
      httpResponse: { case: 'deniedResponse', value: { body: 'b', headers: [{ header: { key: 'k', value: 'v' } }] } },
      dynamicMetadata: { a: [1, { b: null }] },
    });
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.tuple(fc.nat(good.length - 1), fc.nat(255)).map(([at, byte]) => Uint8Array.from(good).fill(byte, at, at + 1)),
      fc.nat(good.length).map((length) => good.slice(0, length)),
    );
    fc.assert(
      fc.property(bytes, (input) => {
        try {
          return typeof readCheckResponse(input).verdict === 'string';
        } catch (error) {
          return error instanceof WireError;
        }
      }),
      { numRuns: 2000 },
    );
  });
});
