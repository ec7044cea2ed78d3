import { requestOf, requestRows, responseRows, variantOptions, type Variant } from '../h1-malformed.table.ts';
import { http } from '../config.ts';
import type { Group, Row } from '../row.ts';

interface TableRow {
  readonly name: string;
  readonly envoy: string;
  readonly sekisho?: string;
  readonly why?: string;
}

/** Long enough to be sure that no answer comes for a request that the table calls unfinished. */
const silenceMs = 120;

/** A request pipelined behind another may find that one's connection free or not. */
const upstreamConnections = /^upstream\[\d+\]\.connection/;

function rowOf(row: TableRow, sent: string, upstream: Row['upstream']): Row {
  const verdicts = row.envoy.split(', ');
  const answers = verdicts.filter((verdict) => verdict !== '-').length;
  return {
    name: row.name,
    raw: answers < verdicts.length ? [sent, silenceMs] : sent,
    answers,
    logLines: verdicts.length,
    ...(upstream === undefined ? {} : { upstream }),
    // Whether the head of a message that breaks later in the same bytes has left for the upstream by then is a matter
    // of when writes are flushed; what came of the message is not.
    ignores: verdicts.every((verdict) => verdict.startsWith('200')) ? upstreamConnections : /^upstream/,
    logged: { envoy: row.envoy, sekisho: row.sekisho ?? row.envoy },
    ...(row.sekisho === undefined ? {} : { differs: { '': row.why ?? 'stricter than Envoy' } }),
  };
}

function group(name: string, variant: Variant, rows: readonly Row[]): Group {
  const { http1, common } = variantOptions[variant];
  return {
    name: `malformed ${name}: ${variant}`,
    config: http({
      hcm: `
codec_type: HTTP1
http_protocol_options: ${JSON.stringify(http1)}
common_http_protocol_options: ${JSON.stringify(common)}
access_log:
- name: envoy.access_loggers.file
  typed_config:
    '@type': type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog
    path: '{{log}}'
    log_format: { text_format_source: { inline_string: "%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%\\n" } }`,
    }),
    rows,
    // What a broken message does to connection counters depends on when its remains arrive.
    stats: /^none$/,
  };
}

const requests = (Object.keys(variantOptions) as Variant[]).map((variant) =>
  group(
    'requests',
    variant,
    requestRows.filter((row) => (row.variant ?? 'default') === variant).map((row) => rowOf(row, row.bytes, undefined)),
  ),
);

const responses = group(
  'responses',
  'default',
  responseRows.map((row) =>
    rowOf(row, requestOf(row), [{ raw: row.bytes, isEarly: true, ...(row.end === true ? { ending: 'close' } : {}) }]),
  ),
);

export const malformed: readonly Group[] = [...requests.filter(({ rows }) => rows.length > 0), responses];
