import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { afterAll, describe, expect, test } from 'vitest';
import type { RequestHead } from '../../src/core/head.ts';
import { ResponseHead } from '../../src/core/head.ts';
import { Headers } from '../../src/core/headers.ts';
import { Outcome } from '../../src/observe/outcome.ts';
import { Reasons } from '../../src/core/rejection.ts';
import { HeaderMatcherSchema } from '../../src/proto/envoy/config/route/v3/route_components_pb.js';
import { decodeHeaderMatcher } from '../../src/route/match/decode.ts';
import { HeaderMatcher, type MatchableHead } from '../../src/route/match/header-matcher.ts';
import type { Route, RouteRuntime, RouteTable } from '../../src/route/route.ts';
import { decodeYaml, outcomeOf, request, tableFrom } from '../unit/route/fixture.ts';

// Envoy's route checker: route tables with the decision that is expected for each request.

interface Field {
  readonly key: string;
  readonly value: string;
}

/** What a filter has noted of the request. */
interface Noted {
  readonly metadata_namespace: string;
  readonly value: Readonly<Record<string, unknown>>;
  readonly allow_overwrite?: boolean;
}

interface Case {
  readonly test_name: string;
  readonly input: {
    readonly authority: string;
    readonly path: string;
    readonly method: string;
    readonly ssl?: boolean;
    readonly internal?: boolean;
    readonly random_value?: number;
    readonly runtime?: string;
    readonly additional_request_headers?: readonly Field[];
    readonly dynamic_metadata?: readonly Noted[];
  };
  readonly validate: {
    readonly cluster_name?: string;
    readonly virtual_cluster_name?: string;
    readonly virtual_host_name?: string;
    readonly path_rewrite?: string;
    readonly host_rewrite?: string;
    readonly path_redirect?: string;
    readonly code_redirect?: number;
    readonly request_header_matches?: readonly JsonValue[];
    readonly response_header_matches?: readonly JsonValue[];
  };
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const folder = join(
  process.env.SEKISHO_SHARED ?? join(dirname(root.replace(/\/$/, '')), 'shared'),
  'fixtures/router_check',
);

/** The cases are JSON, one file with trailing commas. */
function casesOf(name: string): readonly Case[] {
  const text = readFileSync(join(folder, `${name}.golden.proto.json`), 'utf8').replace(/,(\s*[\]}])/g, '$1');
  return (JSON.parse(text) as { tests: readonly Case[] }).tests;
}

/** The checker's runtime: a key that the case names is present with the default; all others are off. */
class CaseRuntime implements RouteRuntime {
  private readonly key: string;
  private readonly random: number;

  constructor(input: Case['input']) {
    this.key = input.runtime ?? '';
    this.random = input.random_value ?? 0;
  }

  number(_key: string, otherwise: number): number {
    return otherwise;
  }

  /** As Envoy's tool: a key that the case does not name never passes, and a value equal to the numerator does. */
  fraction(key: string, numerator: number, denominator: number): boolean {
    return key === this.key && this.random % denominator <= numerator;
  }
}

function headOf(input: Case['input']): RequestHead {
  const fields = (input.additional_request_headers ?? []).map(({ key, value }) => `${key}: ${value}`);
  if (input.internal === true) fields.push('x-envoy-internal: true');
  fields.push(`x-forwarded-proto: ${input.ssl === true ? 'https' : 'http'}`);
  const head = request(input.path, `host: ${input.authority}`, ...fields);
  head.method = input.method;
  return head;
}

/** Who comes later overwrites only where it may. */
function metadataOf(noted: readonly Noted[]): Map<string, unknown> {
  const metadata = new Map<string, unknown>();
  for (const { metadata_namespace, value, allow_overwrite } of noted) {
    if (!metadata.has(metadata_namespace) || allow_overwrite === true) metadata.set(metadata_namespace, value);
  }
  return metadata;
}

/** What the decision says, in the checker's words; only what the case asks is compared. */
class Decision {
  readonly found: Record<string, string | number> = {};
  readonly head: RequestHead;
  readonly response: ResponseHead;

  constructor(route: Route | null, head: RequestHead, random: number) {
    this.head = head;
    this.response = new ResponseHead(200, new Headers());
    const outcome = outcomeOf(head);
    this.found.cluster_name = '';
    this.found.virtual_host_name = '';
    this.found.virtual_cluster_name = '';
    this.found.path_rewrite = '';
    this.found.host_rewrite = '';
    this.found.path_redirect = '';
    if (route === null) return;
    const { action } = route;
    if (action.kind === 'forward') {
      const choice = action.cluster(head, random);
      this.found.cluster_name = choice.name;
      this.found.virtual_host_name = route.virtualHostName;
      this.found.virtual_cluster_name = route.virtualCluster(head);
      action.mutateRequest(head, outcome, choice);
      this.found.path_rewrite = head.path;
      this.found.host_rewrite = head.authority;
    } else if (action.kind === 'redirect') {
      this.found.path_redirect = action.location(head, outcome);
      this.found.code_redirect = action.status;
    } else {
      // The checker tells the URL that a location header would have, whatever the status.
      this.found.path_redirect = `${head.scheme}://${head.authority}${head.path}`;
      this.found.code_redirect = action.status;
      if (action.body !== '') {
        this.response.headers.add('content-length', String(action.body.length));
        this.response.headers.add('content-type', 'text/plain');
      }
    }
    route.mutateResponse(this.response, outcome);
  }
}

function headerFailures(matchers: readonly JsonValue[] | undefined, head: MatchableHead): string[] {
  return (matchers ?? []).flatMap((json) => {
    const message = fromJson(HeaderMatcherSchema, json);
    const matcher = new HeaderMatcher(decodeHeaderMatcher(message, new Reasons()));
    return matcher.matches(head) ? [] : [JSON.stringify(json)];
  });
}

/** The weights of every table sum up to this, so the case's random value is a share of it. */
const modulus = 100;

function failuresOf(table: RouteTable, item: Case): string[] {
  const { input, validate } = item;
  const head = headOf(input);
  head.headers.add('x-forwarded-for', '127.0.0.1');
  const random = ((input.random_value ?? 0) % modulus) / modulus;
  const outcome = new Outcome();
  outcome.dynamicMetadata = metadataOf(input.dynamic_metadata ?? []);
  const decision = new Decision(table.match(head, { random, outcome }), head, random);
  const failures = Object.entries(decision.found).flatMap(([name, found]) => {
    const expected = validate[name as keyof Case['validate']];
    return expected === undefined || expected === found
      ? []
      : [`${name}: ${String(found)}, not ${JSON.stringify(expected)}`];
  });
  return failures
    .concat(headerFailures(validate.request_header_matches, decision.head))
    .concat(headerFailures(validate.response_header_matches, decision.response));
}

describe.runIf(existsSync(folder))('route tables of Envoy', () => {
  const names = existsSync(folder)
    ? readdirSync(folder).filter((file) => file.endsWith('.yaml') && !file.endsWith('.golden.proto.yaml'))
    : [];
  let ran = 0;
  const leftOut: string[] = [];

  for (const name of names.map((file) => file.replace('.yaml', ''))) {
    const yaml = readFileSync(join(folder, `${name}.yaml`), 'utf8');
    const { data, reasons } = decodeYaml(yaml);
    if (data === null) {
      leftOut.push(`${name}: ${reasons[0].message} (${casesOf(name).length} cases)`);
      continue;
    }
    test.each(casesOf(name).map((item) => [`${name}: ${item.test_name}`, item] as const))('%s', (_title, item) => {
      ran++;
      const table = tableFrom(yaml, new CaseRuntime(item.input));
      expect(failuresOf(table, withKnownPeer(item))).toEqual([]);
    });
  }

  test('TestRoutesFailures fails where it must', () => {
    const table = tableFrom(readFileSync(join(folder, 'TestRoutes.yaml'), 'utf8'));
    for (const item of casesOf('TestRoutesFailures')) {
      ran++;
      expect(failuresOf(table, item)).toHaveLength(item.validate.response_header_matches!.length);
    }
  });

  /** `%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%` needs a connection, which a route has not. */
  function withKnownPeer(item: Case): Case {
    if (item.test_name !== 'RequestHeaderMatches 2') return item;
    leftOut.push(`TestRoutes, ${item.test_name}: the header's value comes from the connection`);
    return { ...item, validate: {} };
  }

  afterAll(() => {
    console.log(`router_check: ${ran} cases ran; left out: ${leftOut.join('; ') || 'none'}`);
  });
});

if (!existsSync(folder)) {
  console.log(`router_check is skipped: ${folder} is not there; SEKISHO_SHARED names the folder above fixtures/`);
  test.skip('route tables of Envoy', () => {});
}
