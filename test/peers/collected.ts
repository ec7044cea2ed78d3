import type { Collected, Json } from '../collector.ts';

type Put = (path: string, value: unknown) => void;

/** Moments, and what depends on how this proxy calls itself. */
const volatile =
  /^(timestamp|duration|start|end|time)$|^annotations|\.(startTime|timeTo\w+|duration)$|\.(time|timestamp)$/;
const ownNames = /^(identifier\.node\.(userAgent|extensions)|resource\.telemetry\.sdk|headers\.user-agent)/;

/** What a collector got, in no particular order: by what it says besides ids. */
export function putCollected(put: Put, collected: readonly Collected[]): void {
  put('collected', collected.length);
  const flat = collected.map((one) => fieldsOf(one));
  const keyed = flat.map((fields) => ({ fields, key: keyOf(fields) })).sort((a, b) => (a.key < b.key ? -1 : 1));
  for (const [index, { fields }] of keyed.entries())
    for (const [name, value] of fields) put(`collected[${index}].${name}`, value);
}

const isId = /(^|\.)(id|traceId|parentId|spanId|streamId|requestId)$|x-request-id/;

function keyOf(fields: ReadonlyMap<string, string>): string {
  return JSON.stringify([...fields].filter(([name]) => !isId.test(name)).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function fieldsOf({ kind, from, value, resource, identifier }: Collected): Map<string, string> {
  const fields = new Map([
    ['kind', kind],
    ['from', from],
  ]);
  const put = (path: string, found: Json): void => {
    if (/^(annotations|events)\[/.test(path)) return;
    if (volatile.test(path)) fields.set(path, '<time>');
    else if (!ownNames.test(path)) fields.set(path, typeof found === 'string' ? found : JSON.stringify(found));
  };
  flatten(value, '', put);
  const events = (value['annotations'] ?? value['events']) as readonly { value?: string; name?: string }[] | undefined;
  if (events !== undefined)
    fields.set(
      'events',
      events
        .map((event) => event.value ?? event.name)
        .sort((a, b) => (a! < b! ? -1 : 1))
        .join(' '),
    );
  if (resource !== undefined) flatten({ resource }, '', put);
  if (identifier !== undefined) flatten({ identifier }, '', put);
  return fields;
}

function flatten(value: Json, path: string, put: (path: string, value: Json) => void): void {
  if (typeof value !== 'object' || value === null) {
    put(path, value);
    return;
  }
  if (Array.isArray(value)) {
    for (const [index, item] of (value as readonly Json[]).entries()) flattenItem(item, index, path, put);
    return;
  }
  const { address, portValue } = value as { address?: Json; portValue?: Json };
  if (typeof address === 'string' && portValue !== undefined) {
    put(path, `${address}:${JSON.stringify(portValue)}`);
    return;
  }
  for (const [name, field] of Object.entries(value)) flatten(field, path === '' ? name : `${path}.${name}`, put);
}

/** Pairs of a key and a value are named by their key. */
function flattenItem(item: Json, index: number, path: string, put: (path: string, value: Json) => void): void {
  const pair = item as { key?: string; value?: Json };
  if (typeof pair === 'object' && pair !== null && typeof pair.key === 'string')
    flatten(pair.value ?? null, `${path}.${pair.key}`, put);
  else flatten(item, `${path}[${index}]`, put);
}

const ids = /(?<![0-9a-f-])([0-9a-f]{16})([0-9a-f]{16})?(?![0-9a-f])/g;
const traceparent = /^(00)-([0-9a-f]{16})([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** Ids by the order in which they are met, so that who belongs to whom is what is compared. */
export function withNamedIds(facts: ReadonlyMap<string, string>): Map<string, string> {
  const names = new Map<string, string>();
  const nameOf = (id: string): string => {
    if (/^0+$/.test(id)) return id;
    if (!names.has(id)) names.set(id, `<id ${names.size}>`);
    return names.get(id)!;
  };
  const named = (text: string): string => {
    const parts = traceparent.exec(text);
    if (parts !== null) return `00-${nameOf(parts[2])}${nameOf(parts[3])}-${nameOf(parts[4])}-${parts[5]}`;
    return text.replaceAll(
      ids,
      (_, high: string, low?: string) => nameOf(high) + (low === undefined ? '' : nameOf(low)),
    );
  };
  const order = [...facts].sort(([a], [b]) => rank(a) - rank(b));
  const result = new Map(order.map(([path, value]) => [path, named(value)]));
  return new Map([...facts.keys()].map((path) => [path, result.get(path)!]));
}

/** What the upstream saw comes first: it is in the same order everywhere. */
function rank(path: string): number {
  return path.startsWith('upstream') ? 0 : path.startsWith('collected') ? 2 : 1;
}
