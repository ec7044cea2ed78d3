import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRegistry, fromJson, toBinary, type JsonValue } from '@bufbuild/protobuf';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CertificateFacts, TlsFacts } from '../../../../src/core/tls-facts.ts';
import type { Peer } from '../../../../src/core/peer.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { rbacBuilder } from '../../../../src/filter/rbac/build.ts';
import { rbacDecoder, rbacPerRouteDecoder } from '../../../../src/filter/rbac/decode.ts';
import { networkRbacDecoder } from '../../../../src/filter/network/rbac/decode.ts';
import type { RbacData } from '../../../../src/filter/rbac/rbac-data.ts';
import { loadExpressions } from '../../../../src/observe/expression/expressions.ts';
import { ActionSchema } from '../../../../src/proto/envoy/config/rbac/v3/rbac_pb.js';
import { RBACPerRouteSchema, RBACSchema } from '../../../../src/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js';
import { RBACSchema as NetworkRbacSchema } from '../../../../src/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js';
import { file_envoy_extensions_matching_common_inputs_network_v3_network_inputs as networkInputs } from '../../../../src/proto/envoy/extensions/matching/common_inputs/network/v3/network_inputs_pb.js';
import { file_envoy_extensions_matching_common_inputs_ssl_v3_ssl_inputs as tlsInputs } from '../../../../src/proto/envoy/extensions/matching/common_inputs/ssl/v3/ssl_inputs_pb.js';
import { MetadataSchema } from '../../../../src/proto/envoy/extensions/matching/input_matchers/metadata/v3/metadata_pb.js';
import { UriTemplateMatchConfigSchema } from '../../../../src/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { ConfigSchema } from '../../../../src/proto/envoy/extensions/rbac/principals/mtls_authenticated/v3/mtls_authenticated_pb.js';
import { file_envoy_type_matcher_v3_http_inputs as httpInputs } from '../../../../src/proto/envoy/type/matcher/v3/http_inputs_pb.js';
import { CelMatcherSchema } from '../../../../src/proto/xds/type/matcher/v3/cel_pb.js';
import { HttpAttributesCelMatchInputSchema } from '../../../../src/proto/xds/type/matcher/v3/http_inputs_pb.js';
import { filterContext, request, TestStream } from '../filter-fixture.ts';

const registry = createRegistry(
  ActionSchema,
  networkInputs,
  tlsInputs,
  httpInputs,
  MetadataSchema,
  UriTemplateMatchConfigSchema,
  ConfigSchema,
  CelMatcherSchema,
  HttpAttributesCelMatchInputSchema,
);
const extensions = { open: () => null };

beforeAll(() => loadExpressions(null));

function decoded(settings: object, reasons = new Reasons()): RbacData {
  const bytes = toBinary(RBACSchema, fromJson(RBACSchema, settings as JsonValue, { registry }));
  return structuredClone(rbacDecoder.decode(bytes, reasons, extensions)) as RbacData;
}

function refusal(settings: object): string {
  const reasons = new Reasons();
  decoded(settings, reasons);
  return reasons.list.map(({ path, message }) => `${path}: ${message}`).join('; ');
}

const noSocket = { kind: 'ip', host: '127.0.0.1', port: 1 } as const;
const peer = (changes: Partial<Peer> = {}): Peer => ({
  remote: { kind: 'ip', host: '10.0.0.1', port: 1000 },
  local: { kind: 'ip', host: '10.0.0.2', port: 443 },
  directRemote: noSocket,
  directLocal: noSocket,
  serverName: 'sni.test',
  alpn: '',
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
  ja3: '',
  ja4: '',
  tls: null,
  ...changes,
});

/** What became of a request: `ok`, or the details of its denial. */
function ask(settings: object, head = request(), prepare: (stream: TestStream) => void = () => {}): string {
  const context = filterContext();
  const filter = rbacBuilder.build(decoded(settings), context).create();
  const stream = new TestStream(context, head);
  stream.outcome.peer = peer();
  prepare(stream);
  filter.onRequestHead!(stream, head, true);
  return stream.replies.map(({ status, body, details }) => `${status} ${body} ${details}`).join() || 'ok';
}

const denied = (policy: string) => `403 RBAC: access denied rbac_access_denied_matched_policy[${policy}]`;
const any = { any: true };
const denying = (permission: object, principal: object = any, more: object = {}) => ({
  rules: { action: 'DENY', policies: { p: { permissions: [permission], principals: [principal], ...more } } },
});
const type = 'type.googleapis.com/envoy.extensions.';

describe('actions', () => {
  const policies = { 'b c': { permissions: [any], principals: [any] }, a: { permissions: [any], principals: [any] } };

  it('allow what matches, and deny the rest', () => {
    expect(ask({ rules: { policies } })).toBe('ok');
    expect(ask({ rules: {} })).toBe(denied('none'));
  });

  it('deny what matches, by the first name', () => {
    expect(ask({ rules: { action: 'DENY', policies } })).toBe(denied('a'));
    expect(ask({ rules: { action: 'DENY', policies: { 'b c': policies['b c'] } } })).toBe(denied('b_c'));
    expect(ask({ rules: { action: 'DENY' } })).toBe('ok');
  });

  it('only say whether something is to be logged', () => {
    const hint = (settings: object) => {
      let said: unknown;
      expect(ask(settings, request(), ({ outcome }) => void (said = outcome.dynamicMetadata ??= new Map()))).toBe('ok');
      return (said as Map<string, unknown>).get('envoy.common');
    };
    expect(hint({ rules: { action: 'LOG', policies } })).toEqual({ access_log_hint: true });
    expect(hint({ rules: { action: 'LOG' } })).toEqual({ access_log_hint: false });
    expect(hint({ rules: { policies } })).toBeUndefined();
  });

  it('are counted, and noted under their prefixes', () => {
    const settings = {
      rulesStatPrefix: 'real_',
      shadowRulesStatPrefix: 'dry_',
      trackPerRuleStats: true,
      rules: { policies },
      shadowRules: { action: 'DENY', policies: { s: policies.a } },
    };
    const context = filterContext();
    const filter = rbacBuilder.build(decoded(settings), context).create();
    const stream = new TestStream(context, request());
    stream.outcome.dynamicMetadata = new Map([['envoy.filters.http.rbac', { older: 1 }]]);
    filter.onRequestHead!(stream, stream.requestHead, true);
    expect(context.stats.used).toEqual({
      'rbac.dry_.shadow_denied': 1,
      'rbac.dry_.policy.s.shadow_denied': 1,
      'rbac.real_.allowed': 1,
      'rbac.real_.policy.a.allowed': 1,
    });
    expect(stream.outcome.dynamicMetadata.get('envoy.filters.http.rbac')).toEqual({
      older: 1,
      dry_shadow_effective_policy_id: 's',
      dry_shadow_engine_result: 'denied',
      real_enforced_effective_policy_id: 'a',
      real_enforced_engine_result: 'allowed',
    });
  });

  it('of a route hold in place of the filter', () => {
    const perRoute = (settings: object) => {
      const bytes = toBinary(RBACPerRouteSchema, fromJson(RBACPerRouteSchema, settings as JsonValue, { registry }));
      const data = rbacPerRouteDecoder.decode(bytes, new Reasons(), extensions);
      return rbacBuilder.buildPerRoute!(data, filterContext());
    };
    const under = (settings: object) =>
      ask({ rules: {} }, request(), (stream) => (stream.configs = [perRoute(settings)]));
    expect(under({})).toBe('ok');
    expect(under({ rbac: { rules: { action: 'DENY', policies } } })).toBe(denied('a'));
  });
});

describe('rules', () => {
  const matches = (rule: object, where: 'permissions' | 'principals', ...how: unknown[]) =>
    ask(
      where === 'permissions' ? denying(rule) : denying(any, rule),
      ...(how as [ReturnType<typeof request>?, ((stream: TestStream) => void)?]),
    ) !== 'ok';
  const permits = (rule: object, ...how: unknown[]) => matches(rule, 'permissions', ...how);
  const isWho = (rule: object, ...how: unknown[]) => matches(rule, 'principals', ...how);

  it('of logic', () => {
    const never = { notRule: any };
    expect(permits({ andRules: { rules: [any, never] } })).toBe(false);
    expect(permits({ andRules: { rules: [any, any] } })).toBe(true);
    expect(permits({ orRules: { rules: [never, any] } })).toBe(true);
    expect(permits({ orRules: { rules: [never, never] } })).toBe(false);
    expect(isWho({ andIds: { ids: [any, { notId: any }] } })).toBe(false);
    expect(isWho({ orIds: { ids: [{ notId: any }, any] } })).toBe(true);
  });

  it('of the request', () => {
    const header = { header: { name: 'X-A', stringMatch: { exact: 'v' } } };
    expect(permits(header, request([['x-a', 'v']]))).toBe(true);
    expect(permits(header, request())).toBe(false);
    const path = { urlPath: { path: { exact: '/a' } } };
    expect(permits(path, request([], { path: '/a?b' }))).toBe(true);
    expect(permits(path, request([], { path: '/a#b' }))).toBe(true);
    expect(permits(path, request([], { path: '/a/b' }))).toBe(false);
    expect(permits(path, request([], { path: '' }))).toBe(false);
    const config = { '@type': `${type}path.match.uri_template.v3.UriTemplateMatchConfig`, pathTemplate: '/x/{y}' };
    const template = { uriTemplate: { name: 't', typedConfig: config } };
    expect(permits(template, request([], { path: '/x/1?z' }))).toBe(true);
    expect(permits(template, request([], { path: '/x/1/2' }))).toBe(false);
  });

  it('of addresses, ports and names', () => {
    expect(permits({ destinationIp: { addressPrefix: '10.0.0.0', prefixLen: 24 } })).toBe(true);
    expect(permits({ destinationIp: { addressPrefix: '10.0.0.2', prefixLen: 99 } })).toBe(true);
    expect(permits({ destinationIp: { addressPrefix: '::', prefixLen: 0 } })).toBe(false);
    expect(permits({ destinationPort: 443 })).toBe(true);
    expect(permits({ destinationPortRange: { start: 440, end: 443 } })).toBe(false);
    expect(permits({ requestedServerName: { exact: 'sni.test' } })).toBe(true);
    expect(isWho({ sourceIp: { addressPrefix: '10.0.0.1', prefixLen: 32 } })).toBe(true);
    expect(isWho({ directRemoteIp: { addressPrefix: '127.0.0.1', prefixLen: 32 } })).toBe(true);
    const forwarded = ({ outcome }: TestStream) => (outcome.remoteAddress = { kind: 'ip', host: '11.0.0.1', port: 0 });
    const remote = { remoteIp: { addressPrefix: '11.0.0.0', prefixLen: 8 } };
    expect(isWho(remote)).toBe(false);
    expect(isWho(remote, request(), forwarded)).toBe(true);
    const pipe = ({ outcome }: TestStream) => (outcome.peer = peer({ local: { kind: 'pipe', host: '/s', port: 0 } }));
    expect(permits({ destinationPort: 0 }, request(), pipe)).toBe(false);
    expect(permits({ destinationIp: { addressPrefix: '0.0.0.0', prefixLen: 0 } }, request(), pipe)).toBe(false);
  });

  it('of what is noted', () => {
    const note = ({ outcome }: TestStream) => {
      outcome.dynamicMetadata = new Map([['ns', { who: 'me', deep: { n: 3 } }]]);
      outcome.filterState = new Map([['key', 'value']]);
      outcome.routeMetadata = { ns: { who: 'route' } };
      outcome.virtualHostName = 'v';
    };
    const metadata = (path: string[], value: object, more: object = {}) => ({
      metadata: { filter: 'ns', path: path.map((key) => ({ key })), value, ...more },
    });
    expect(isWho(metadata(['who'], { stringMatch: { exact: 'me' } }), request(), note)).toBe(true);
    expect(isWho(metadata(['deep', 'n'], { doubleMatch: { exact: 3 } }), request(), note)).toBe(true);
    expect(isWho(metadata(['nobody'], { presentMatch: true }, { invert: true }), request(), note)).toBe(true);
    expect(isWho(metadata(['__proto__'], { presentMatch: true }), request(), note)).toBe(false);
    const sourced = {
      sourcedMetadata: {
        metadataSource: 'ROUTE',
        metadataMatcher: metadata(['who'], { stringMatch: { exact: 'route' } }).metadata,
      },
    };
    expect(permits(sourced, request(), note)).toBe(true);
    expect(permits(sourced)).toBe(false);
    expect(isWho({ filterState: { key: 'key', stringMatch: { prefix: 'val' } } }, request(), note)).toBe(true);
    expect(isWho({ filterState: { key: 'other', stringMatch: { prefix: '' } } }, request(), note)).toBe(false);
  });

  const certificate = {
    subject: 'CN=me',
    uris: ['spiffe://a/b'],
    dnsNames: ['d.test'],
    emails: ['e@test'],
    ipAddresses: ['10.0.0.9'],
  } as unknown as CertificateFacts;
  const speaking = (facts: Partial<TlsFacts>) => (stream: TestStream) => {
    const tls = { peerChain: [certificate], isPeerVerified: true, ...facts } as unknown as TlsFacts;
    stream.outcome.peer = peer({ tls });
  };

  it('of who the client is', () => {
    const named = (exact: string) => ({ authenticated: { principalName: { exact } } });
    expect(isWho({ authenticated: {} })).toBe(false);
    expect(isWho({ authenticated: {} }, request(), speaking({ peerChain: [] }))).toBe(true);
    expect(isWho(named('spiffe://a/b'), request(), speaking({}))).toBe(true);
    expect(isWho(named('d.test'), request(), speaking({}))).toBe(true);
    expect(isWho(named('CN=me'), request(), speaking({}))).toBe(true);
    expect(isWho(named('CN=you'), request(), speaking({}))).toBe(false);
    expect(isWho(named('CN=me'))).toBe(false);
  });

  it('of whose certificate was verified', () => {
    const mtls = (config: object) => ({
      custom: {
        name: 'envoy.rbac.principals.mtls_authenticated',
        typedConfig: { '@type': `${type}rbac.principals.mtls_authenticated.v3.Config`, ...config },
      },
    });
    const anyone = mtls({ anyValidatedClientCertificate: true });
    expect(isWho(anyone, request(), speaking({}))).toBe(true);
    expect(isWho(anyone, request(), speaking({ isPeerVerified: false }))).toBe(false);
    expect(isWho(anyone)).toBe(false);
    const san = (sanType: string, matcher: object) =>
      isWho(mtls({ sanMatcher: { sanType, matcher } }), request(), speaking({}));
    expect(san('URI', { prefix: 'spiffe://a/' })).toBe(true);
    expect(san('URI', { safeRegex: { regex: 'spiffe://[a-z]/b' } })).toBe(true);
    expect(san('DNS', { exact: 'd.test' })).toBe(true);
    expect(san('EMAIL', { suffix: '@test' })).toBe(true);
    expect(san('IP_ADDRESS', { exact: '10.0.0.9' })).toBe(true);
    expect(san('URI', { exact: 'd.test' })).toBe(false);
  });
});

describe('conditions', () => {
  const attribute = (name: string, field: string) => ({ selectExpr: { operand: { identExpr: { name } }, field } });
  const equals = (left: object, stringValue: string) => ({
    callExpr: { function: '_==_', args: [left, { constExpr: { stringValue } }] },
  });

  it('must hold besides', () => {
    const condition = equals(attribute('request', 'method'), 'GET');
    expect(ask(denying(any, any, { condition }))).toBe(denied('p'));
    expect(ask(denying(any, any, { condition }), request([], { method: 'PUT' }))).toBe('ok');
    expect(ask(denying(any, any, { checkedCondition: { expr: condition } }))).toBe(denied('p'));
  });

  it('are no match where they come to no boolean', () => {
    const rule = (condition: object) => ({
      rules: { policies: { p: { permissions: [any], principals: [any], condition } } },
    });
    expect(ask(rule(equals(attribute('request', 'nope'), 'x')))).toBe(denied('none'));
    expect(ask(rule(attribute('request', 'method')))).toBe(denied('none'));
  });

  it('are refused as Envoy refuses them', () => {
    const unknown = { callExpr: { function: 'foo' } };
    expect(refusal(denying(any, any, { condition: unknown }))).toBe(
      'rules.policies[p].condition: failed to create an expression: No overload found in reference resolve step for foo',
    );
    expect(refusal(denying(any, any, { condition: {} }))).toContain('Invalid empty expression');
  });
});

describe('a matcher', () => {
  const action = (name: string, what: string) => ({
    action: {
      name: 'a',
      typedConfig: { '@type': 'type.googleapis.com/envoy.config.rbac.v3.Action', name, action: what },
    },
  });
  const input = (kind: string, more: object = {}) => ({ name: 'i', typedConfig: { '@type': kind, ...more } });
  const header = input('type.googleapis.com/envoy.type.matcher.v3.HttpRequestHeaderMatchInput', { headerName: 'x-a' });
  const one = (singlePredicate: object, onMatch: object) => ({ predicate: { singlePredicate }, onMatch });
  const list = (...matchers: object[]) => ({ matcher: { matcherList: { matchers } } });
  const network = (name: string, more: object = {}) => input(`${type}matching.common_inputs.network.v3.${name}`, more);

  it('denies what nothing matches', () => {
    const settings = list(one({ input: header, valueMatch: { exact: 'v' } }, action('h', 'ALLOW')));
    expect(ask(settings, request([['x-a', 'v']]))).toBe('ok');
    expect(ask(settings)).toBe(denied('none'));
  });

  it.each([
    ['SourceIPInput', '10.0.0.1'],
    ['SourcePortInput', '1000'],
    ['DestinationIPInput', '10.0.0.2'],
    ['DestinationPortInput', '443'],
    ['DirectSourceIPInput', '127.0.0.1'],
    ['ServerNameInput', 'sni.test'],
  ])('reads %s', (name, exact) => {
    expect(ask(list(one({ input: network(name), valueMatch: { exact } }, action(name, 'DENY'))))).toBe(denied(name));
  });

  it('cannot tell names without TLS, and then denies', () => {
    const subject = input(`${type}matching.common_inputs.ssl.v3.SubjectInput`);
    const settings = list(
      one({ input: subject, valueMatch: { exact: 'CN=me' } }, action('me', 'ALLOW')),
      one({ input: network('SourceIPInput'), valueMatch: { exact: '10.0.0.1' } }, action('source', 'ALLOW')),
    );
    expect(ask(settings)).toBe(denied('none'));
    const tls = { peerChain: [] } as unknown as TlsFacts;
    expect(ask(settings, request(), ({ outcome }) => (outcome.peer = peer({ tls })))).toBe('ok');
  });

  it('asks expressions, metadata and filter state', () => {
    const everything = input('type.googleapis.com/xds.type.matcher.v3.HttpAttributesCelMatchInput');
    const cel = (exprMatch: object) => ({
      input: everything,
      customMatch: {
        name: 'c',
        typedConfig: { '@type': 'type.googleapis.com/xds.type.matcher.v3.CelMatcher', exprMatch },
      },
    });
    const truth = { expr: { constExpr: { boolValue: true } } };
    for (const exprMatch of [{ parsedExpr: truth }, { celExprParsed: truth }, { celExprChecked: truth }])
      expect(ask(list(one(cel(exprMatch), action('cel', 'DENY'))))).toBe(denied('cel'));
    expect(refusal(list(one(cel({ celExprString: 'true' }), action('cel', 'DENY'))))).toContain('cel_expr_string');
    const response = { expr: { selectExpr: { operand: { identExpr: { name: 'response' } }, field: 'code' } } };
    expect(refusal(list(one(cel({ parsedExpr: response }), action('c', 'ALLOW'))))).toContain(
      "'response' is not there yet",
    );
    const metadata = {
      input: network('DynamicMetadataInput', { filter: 'ns', path: [{ key: 'who' }] }),
      customMatch: {
        name: 'm',
        typedConfig: {
          '@type': `${type}matching.input_matchers.metadata.v3.Metadata`,
          value: { stringMatch: { exact: 'me' } },
        },
      },
    };
    const state = { input: network('FilterStateInput', { key: 'k' }), valueMatch: { exact: 'v' } };
    const settings = list(one(metadata, action('metadata', 'DENY')), one(state, action('state', 'DENY')));
    const noted = ({ outcome }: TestStream) => (outcome.dynamicMetadata = new Map([['ns', { who: 'me' }]]));
    const stated = ({ outcome }: TestStream) => (outcome.filterState = new Map([['k', 'v']]));
    expect(ask(settings, request(), noted)).toBe(denied('metadata'));
    expect(ask(settings, request(), stated)).toBe(denied('state'));
    expect(ask(settings)).toBe(denied('none'));
  });

  it('says of each action whether to log, where one logs', () => {
    const settings = list(
      one({ input: header, valueMatch: { exact: 'l' } }, action('l', 'LOG')),
      one({ input: header, valueMatch: { exact: 'a' } }, action('a', 'ALLOW')),
    );
    const hint = (value: string) => {
      let stream: TestStream | undefined;
      ask(settings, request([['x-a', value]]), (made) => (stream = made));
      return stream!.outcome.dynamicMetadata?.get('envoy.common');
    };
    expect(hint('l')).toEqual({ access_log_hint: true });
    expect(hint('a')).toEqual({ access_log_hint: false });
    expect(hint('x')).toBeUndefined();
  });

  it('refuses inputs that Envoy refuses', () => {
    const settings = list(
      one({ input: network('SourceTypeInput'), valueMatch: { exact: 'local' } }, action('a', 'ALLOW')),
    );
    expect(refusal(settings)).toContain('RBAC HTTP filter cannot match on');
  });
});

describe('what is refused', () => {
  it.each([
    [
      denying({ destinationPortRange: { start: 10, end: 5 } }),
      'range start 10 cannot be greater or equal than range end 5',
    ],
    [denying({ destinationPortRange: { start: -1, end: 5 } }), 'range start -1 is out of bounds'],
    [denying({ destinationPortRange: { start: 1, end: 70_000 } }), 'range end 70000 is out of bounds'],
    [denying({ destinationIp: { addressPrefix: 'foo' } }), 'malformed IP address: foo'],
    [denying({ matcher: { name: 'm' } }), "field 'matcher' is not supported by sekisho"],
    [denying({}), 'needs one kind of rule'],
    [denying({ sourcedMetadata: {} }), 'is required'],
    [denying(any, { custom: { name: 'odd' } }), "principal 'odd' of type ''"],
    [
      denying(any, {
        custom: { name: 'm', typedConfig: { '@type': `${type}rbac.principals.mtls_authenticated.v3.Config` } },
      }),
      'did not have any configured validation',
    ],
    [
      denying({
        uriTemplate: {
          name: 't',
          typedConfig: { '@type': `${type}path.match.uri_template.v3.UriTemplateMatchConfig`, pathTemplate: 'x' },
        },
      }),
      'is invalid',
    ],
  ])('%j', (settings, reason) => {
    expect(refusal(settings)).toContain(reason);
  });
});

describe('what a genuine istiod sends', () => {
  const file = join(import.meta.dirname, '../../../fixtures/rbac/istiod-1.29.6.json');
  const all = JSON.parse(readFileSync(file, 'utf8')) as Record<string, JsonValue>[];

  it.each(all.map(({ '@type': kind, ...settings }) => [kind as string, settings] as const))(
    '%s is taken',
    (kind, settings) => {
      const isHttp = kind.includes('filters.http');
      const schema = isHttp ? RBACSchema : NetworkRbacSchema;
      const bytes = toBinary(schema, fromJson(schema as typeof RBACSchema, settings, { registry }) as never);
      const reasons = new Reasons();
      const data = (isHttp ? rbacDecoder : networkRbacDecoder).decode(bytes, reasons, extensions);
      expect(reasons.list).toEqual([]);
      expect(structuredClone(data)).toEqual(data);
    },
  );
});
