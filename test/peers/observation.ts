import { createHash } from 'node:crypto';
import type { Answer } from './answer.ts';
import { askedMessage } from './asked-message.ts';
import { decodedBody } from './content-coding.ts';
import type { Group, Pairs, Row } from './row.ts';
import { putCollected, withNamedIds } from './collected.ts';
import type { Observation, World } from './world.ts';

/** An observation as one flat list, path → value, so that two of them can be laid side by side. */
export type Facts = ReadonlyMap<string, string>;

/** Values that differ from run to run, by header name. */
const volatileHeaders: Readonly<Record<string, [RegExp, string]>> = {
  date: [/^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/, '<date>'],
  'x-envoy-upstream-service-time': [/^\d+$/, '<ms>'],
};

const comparedStats = /^(http|http2|cluster|listener|tcp|vhost)\./;

/**
 * Gauges that a client's hanging up changes in its own time, bytes (they follow the length of what is normalised away),
 * the admin's own traffic, and connection ends (they race with the end of the row).
 */
const ignoredStats =
  /(_active|_buffered|_bytes_total|cx_destroy\w*|cx_length_ms|wire_bytes\w*)$|^(http|listener)\.admin\.|^http\.async-client\.|\.(circuit_breakers|ssl\.certificate)\.|connections_accepted_per_socket_event|worker_\d+\./;

export function factsOf(observation: Observation, world: World, group: Group, row: Row): Facts {
  const facts = new Map<string, string>();
  const put = (path: string, value: unknown) => facts.set(path, normalised(String(value), world));
  for (const [index, exchange] of observation.exchanges.entries()) {
    const at = `client[${index}]`;
    if (exchange.end !== undefined) put(`${at}.end`, exchange.end);
    for (const [name, value] of Object.entries(exchange.tls ?? {})) put(`${at}.tls.${name}`, value);
    for (const [number, goAway] of (exchange.goAways ?? []).entries()) put(`${at}.goAway[${number}]`, goAway);
    for (const [number, frame] of (exchange.frames ?? []).entries()) put(`${at}.frame[${number}]`, frame);
    if (exchange.text !== undefined) put(`${at}.text`, shortened(exchange.text));
    put(`${at}.answers`, exchange.answers.length);
    for (const [number, answer] of exchange.answers.entries()) putAnswer(put, `${at}.answer[${number}]`, answer, row);
  }
  putSeen(put, observation, row);
  putLog(put, observation, row);
  if (observation.collected !== undefined) putCollected(put, observation.collected);
  for (const [name, check] of observation.checks) {
    put(`check.${name}.line`, check.line);
    put(`check.${name}.body`, shortened(check.body));
    putHeaders(put, `check.${name}`, check.headers, row);
  }
  for (const [name, grown] of observation.stats) {
    const isCompared = (group.stats ?? comparedStats).test(name) && !ignoredStats.test(name);
    if (isCompared || (row.stats?.test(name) ?? false)) put(`stats.${normalised(name, world)}`, grown);
  }
  if (observation.admin !== null) {
    put('admin.status', observation.admin.status);
    putPage(put, observation.admin.body, world);
  }
  return observation.collected === undefined ? facts : withNamedIds(facts);
}

type Put = (path: string, value: unknown) => void;

function putAnswer(put: Put, at: string, answer: Answer, row: Row): void {
  put(`${at}.line`, answer.line);
  put(`${at}.complete`, answer.isComplete);
  if (answer.reset !== undefined) put(`${at}.reset`, answer.reset);
  put(`${at}.body`, shortened(decodedBody(answer.body, answer.headers)));
  putHeaders(put, at, answer.headers, row);
  for (const [name, value] of answer.trailers) put(`${at}.trailer.${name}`, value);
}

function putSeen(put: Put, observation: Observation, row: Row): void {
  put('upstream.requests', observation.seen.length);
  for (const [index, seen] of observation.seen.entries()) {
    const at = `upstream[${index}]`;
    put(`${at}.name`, seen.upstream);
    put(`${at}.line`, seen.line);
    const asked = askedMessage(seen.line, seen.body);
    if (asked === null) put(`${at}.body`, shortened(decodedBody(seen.body, seen.headers)));
    else for (const [field, value] of asked) put(`${at}.${field}`, value);
    put(`${at}.complete`, seen.isComplete);
    put(`${at}.connection`, seen.connection);
    for (const [name, value] of Object.entries(seen.tls ?? {})) put(`${at}.tls.${name}`, value);
    const isLater =
      index > 0 || seen.headers.some(([name, value]) => name === 'x-envoy-attempt-count' && value !== '1');
    putHeaders(put, at, isLater ? seen.headers.map(withRoundedTimeout) : seen.headers, row);
    for (const [name, value] of seen.trailers) put(`${at}.trailer.${name}`, value);
  }
}

function putLog(put: Put, observation: Observation, row: Row): void {
  const lines = row.mode === 'together' ? observation.log.toSorted() : observation.log;
  put('log.lines', lines.length);
  for (const [index, line] of lines.entries()) {
    if (!line.startsWith('{')) {
      put(`log[${index}]`, line);
      continue;
    }
    const fields = JSON.parse(line) as Record<string, unknown>;
    for (const [name, value] of Object.entries(fields)) put(`log[${index}].${name}`, steadyField(name, value));
  }
}

/** Times, client ports and ids of a log line, of which only the type stays the same. */
function steadyField(name: string, value: unknown): string {
  if (/DURATION|_PORT%|CONNECTION_ID|SESSION_ID/.test(name) && value !== null) return `<${typeof value}>`;
  return JSON.stringify(value);
}

/** An admin page: its JSON by fields, its text by lines, both in no particular order, since Envoy's are hash tables. */
function putPage(put: Put, body: string, world: World): void {
  if (!body.startsWith('{')) {
    for (const line of body.split('\n')) put(`admin.line ${normalised(line, world)}`, '');
    return;
  }
  const putField = (path: string, value: unknown): void => {
    if (path.endsWith('.port_value')) put(path, `:${String(value)}`);
    else if (typeof value !== 'object' || value === null) put(path, JSON.stringify(value));
    else if (Object.keys(value).length === 0) put(path, JSON.stringify(value));
    else for (const [name, field] of Object.entries(value)) putField(`${path}.${name}`, field);
  };
  putField('admin', JSON.parse(body));
}

function putHeaders(put: Put, at: string, headers: Pairs, row: Row): void {
  if (row.isOrdered) put(`${at}.order`, headers.map(([name]) => name).join(' '));
  const values = new Map<string, string[]>();
  for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), steady(name, value)]);
  for (const [name, list] of values) put(`${at}.header.${name}`, list.join(' ¦ '));
}

/** Later attempts are told what is left of the timeout. */
function withRoundedTimeout([name, value]: readonly [string, string]): readonly [string, string] {
  if (name !== 'x-envoy-expected-rq-timeout-ms') return [name, value];
  return [name, `up to ${Math.ceil(Number(value) / 500) * 500}`];
}

function steady(name: string, value: string): string {
  const known = volatileHeaders[name.toLowerCase()];
  return known !== undefined && known[0].test(value) ? known[1] : value;
}

function shortened(body: string): string {
  if (body.length <= 2000) return body;
  return `${body.length} bytes, sha1 ${createHash('sha1').update(body, 'latin1').digest('hex')}`;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Ports by their names, client ports and request ids by placeholders. */
function normalised(text: string, world: World): string {
  let result = text.replaceAll(uuid, '<uuid>').replaceAll(world.directory, '<directory>');
  for (const [name, port] of Object.entries(world.ports)) {
    result = result.replaceAll(new RegExp(`([:_])${port}(?!\\d)`, 'g'), `$1<${name}>`);
  }
  return result.replaceAll(/\b(127\.0\.0\.1[:_])\d+/g, '$1<client>');
}

export interface Difference {
  readonly path: string;
  readonly left: string | undefined;
  readonly right: string | undefined;
  /** Why it is accepted, from the row's `differs`. */
  readonly reason: string | undefined;
}

export function differences(left: Facts, right: Facts, row: Row): Difference[] {
  const found: Difference[] = [];
  for (const path of new Set([...left.keys(), ...right.keys()])) {
    if (left.get(path) === right.get(path) || row.ignores?.test(path)) continue;
    const known = Object.entries(row.differs ?? {}).find(([prefix]) => path.startsWith(prefix));
    found.push({ path, left: left.get(path), right: right.get(path), reason: known?.[1] });
  }
  return found;
}
