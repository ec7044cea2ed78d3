import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { load } from 'js-yaml';
import type { Extensions } from '../../../src/core/extension.ts';
import { RequestHead } from '../../../src/core/head.ts';
import { Headers } from '../../../src/core/headers.ts';
import { Reasons, type Reason } from '../../../src/core/rejection.ts';
import { buildFormat } from '../../../src/observe/access-log/build.ts';
import { compileFormat } from '../../../src/observe/format/format.ts';
import { Outcome } from '../../../src/observe/outcome.ts';
import { FilterConfigSchema } from '../../../src/proto/envoy/config/route/v3/route_components_pb.js';
import {
  RouteConfigurationSchema,
  type RouteConfiguration,
} from '../../../src/proto/envoy/config/route/v3/route_pb.js';
import { UriTemplateMatchConfigSchema } from '../../../src/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js';
import { UriTemplateRewriteConfigSchema } from '../../../src/proto/envoy/extensions/path/rewrite/uri_template/v3/uri_template_rewrite_pb.js';
import { OmitHostMetadataConfigSchema } from '../../../src/proto/envoy/extensions/retry/host/omit_host_metadata/v3/omit_host_metadata_config_pb.js';
import { OmitCanaryHostsPredicateSchema } from '../../../src/proto/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts_pb.js';
import { PreviousHostsPredicateSchema } from '../../../src/proto/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts_pb.js';
import { StringValueSchema } from '@bufbuild/protobuf/wkt';
import { buildRouteTable } from '../../../src/route/build.ts';
import { decodeRouteConfiguration } from '../../../src/route/decode.ts';
import type { RouteConfigurationData } from '../../../src/route/route-data.ts';
import type { ForwardAction, Route, RouteBuildContext, RouteRuntime, RouteTable } from '../../../src/route/route.ts';

const registry = createRegistry(
  FilterConfigSchema,
  UriTemplateMatchConfigSchema,
  UriTemplateRewriteConfigSchema,
  PreviousHostsPredicateSchema,
  OmitCanaryHostsPredicateSchema,
  OmitHostMetadataConfigSchema,
  StringValueSchema,
);

/** Opens `StringValue` for the filter called `known`; everything else is unknown. */
export const extensions: Extensions = {
  knows: (typeUrl) => typeUrl.endsWith('/google.protobuf.StringValue'),
  open(_category, name, config, reasons) {
    if (config === undefined || !config.typeUrl.endsWith('/google.protobuf.StringValue')) {
      reasons.add(`extension '${name}' is not supported`);
      return null;
    }
    return { name, kind: 'google.protobuf.StringValue', data: new TextDecoder().decode(config.value.subarray(2)) };
  },
};

export const fixedRuntime: RouteRuntime = {
  number: (_key, otherwise) => otherwise,
  fraction: (_key, numerator, denominator, random) => Math.floor(random * denominator) < numerator,
};

export function buildContext(runtime: RouteRuntime = fixedRuntime): RouteBuildContext {
  return {
    compileFormat: (format, omitEmptyValues) => compileFormat(format, { omitEmptyValues }),
    buildFormat: (data) => buildFormat(data),
    buildFilterConfig: (filter, config) => `${filter}=${String(config.data)}`,
    runtime,
  };
}

/** protobuf's JSON has durations as text only; Envoy's files also write them as messages. */
function withTextDurations(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withTextDurations);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const keys = Object.keys(value);
  if (keys.length > 0 && keys.every((key) => key === 'seconds' || key === 'nanos')) {
    const { seconds = 0, nanos = 0 } = value as { seconds?: number; nanos?: number };
    return `${seconds + nanos / 1e9}s`;
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withTextDurations(item)]));
}

export function messageFrom(yaml: string): RouteConfiguration {
  return fromJson(RouteConfigurationSchema, withTextDurations(load(yaml)), { registry });
}

export function decodeYaml(yaml: string): { data: RouteConfigurationData | null; reasons: readonly Reason[] } {
  const reasons = new Reasons();
  const data = decodeRouteConfiguration(messageFrom(yaml), reasons, extensions);
  return { data, reasons: reasons.list };
}

/** The table of a configuration that must be accepted, after a structured clone as on its way to a worker. */
export function tableFrom(yaml: string, runtime: RouteRuntime = fixedRuntime): RouteTable {
  const { data, reasons } = decodeYaml(yaml);
  if (data === null) throw new Error(JSON.stringify(reasons));
  return buildRouteTable(structuredClone(data), buildContext(runtime));
}

/** A configuration of one virtual host for all domains; `routes` is YAML in flow style, one route a line. */
export function anyHost(routes: string, top = '', host = ''): string {
  const lines = routes
    .trim()
    .split('\n')
    .map((line) => `  - ${line.trim()}`);
  return `name: r\n${top}\nvirtual_hosts:\n- name: v\n  domains: ['*']\n${host}\n  routes:\n${lines.join('\n')}\n`;
}

export function request(path: string, ...fields: readonly string[]): RequestHead {
  const headers = new Headers();
  let authority = 'h.test';
  for (const field of fields) {
    const colon = field.indexOf(':', 1);
    const name = field.slice(0, colon).toLowerCase();
    const value = field.slice(colon + 1).trim();
    if (name === 'host') authority = value;
    else headers.add(name, value);
  }
  const head = new RequestHead('GET', authority, path, 11, headers);
  if (!headers.has('x-forwarded-proto')) headers.add('x-forwarded-proto', 'http');
  head.scheme = headers.get('x-forwarded-proto')!.toLowerCase();
  return head;
}

export function outcomeOf(head: RequestHead): Outcome {
  const outcome = new Outcome();
  outcome.requestHead = head;
  return outcome;
}

export function fieldsOf(headers: Headers): string[] {
  return headers.names
    .map((name, i) => `${name}: ${headers.values[i]}`)
    .filter((field) => !field.startsWith('x-forwarded-proto'));
}

/** What the upstream sees: path, authority and fields, after routing. */
export function forwarded(table: RouteTable, head: RequestHead, random = 0): string {
  const route = table.match(head, { random });
  if (route === null) return 'no route';
  const action = forwardOf(route);
  const outcome = outcomeOf(head);
  const choice = action.cluster(head, random);
  action.mutateRequest(head, outcome, choice);
  return [head.path, `host: ${head.authority}`, ...fieldsOf(head.headers)].join(' | ');
}

export function forwardOf(route: Route | null): ForwardAction {
  if (route === null || route.action.kind !== 'forward') throw new Error('not forwarded');
  return route.action;
}
