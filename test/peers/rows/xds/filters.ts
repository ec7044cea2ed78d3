import { http } from '../../config.ts';
import type { Group, Row } from '../../row.ts';
import { dumpIgnores, fromFile, ignoredStats as ignores, node, response } from './files.ts';

const type = 'envoy.config.core.v3.TypedExtensionConfig';
const fault = 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault';
const buffer = 'type.googleapis.com/envoy.extensions.filters.http.buffer.v3.Buffer';

const aborts = (status: number, name = 'changing') =>
  `{ name: ${name}, typed_config: { "@type": ${fault}, abort: { http_status: ${status}, percentage: { numerator: 100 } } } }`;

const config = (more: object = {}) =>
  http({
    filters: JSON.stringify([
      {
        name: 'changing',
        config_discovery: { config_source: fromFile('ecds.yaml'), type_urls: [fault], ...more },
      },
    ]),
    bootstrap: JSON.stringify({ node }),
  });

const prefix = 'extension_config_discovery.http_filter.changing';
const stats = /^extension_config_discovery\.|^http\.ingress\.downstream_rq_\dxx/;

const updated = (name: string, count: number, file: string): Row => ({
  name,
  files: { 'ecds.yaml': file },
  awaits: { [`${prefix}.update_success`]: count },
  ignores,
});

const refused = (name: string, count: number, file: string): Row => ({
  name: `refused: ${name}`,
  files: { 'ecds.yaml': file },
  awaits: { [`${prefix}.update_rejected`]: count },
  ignores,
});

const swapped: Group = {
  name: 'ECDS: a filter is swapped',
  config: config(),
  files: { 'ecds.yaml': response('1', type, aborts(501)) },
  stats,
  rows: [
    { name: 'the first', ignores },
    updated('another', 2, response('2', type, aborts(502))),
    updated('the same under another version', 3, response('3', type, aborts(502))),
    { name: 'what is dumped', admin: '/config_dump?resource=ecds_filters', ignores: dumpIgnores },
    refused('none', 1, response('4', type)),
    refused('two', 2, response('5', type, aborts(503), aborts(504))),
    refused('another name', 3, response('6', type, aborts(503, 'other'))),
    refused(
      'another type',
      4,
      response('7', type, `{ name: changing, typed_config: { "@type": ${buffer}, max_request_bytes: 1 } }`),
    ),
    updated('again', 4, response('9', type, aborts(505))),
  ],
};

const missing: Group = {
  name: 'ECDS: none comes',
  config: config(),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [
    { name: 'every request fails', ignores, differs: { 'log[0].details': 'a text that is empty is no text' } },
    updated('until it comes', 1, response('2', type, aborts(502))),
  ],
};

const byDefault: Group = {
  name: 'ECDS: a default until one comes',
  config: config({
    default_config: { '@type': fault, abort: { http_status: 507, percentage: { numerator: 100 } } },
    apply_default_config_without_warming: true,
  }),
  files: { 'ecds.yaml': response('1', type) },
  stats,
  rows: [{ name: 'the default', ignores }, updated('then what came', 1, response('2', type, aborts(502)))],
};

export const discoveredFilters: readonly Group[] = [swapped, missing, byDefault];
