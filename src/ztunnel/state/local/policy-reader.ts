import { parseIp } from '../../../core/ip-address.ts';
import type { AddressRange, Policy, PolicyMatch, StringMatch } from '../policy.ts';
import { FieldReader, LocalConfigError } from './field-reader.ts';

/** A text that a YAML tag (`!Exact`) has made a match. */
export class TaggedMatch {
  readonly match: StringMatch;

  constructor(match: StringMatch) {
    this.match = match;
  }
}

export function readPolicy(value: unknown, path: string): Policy {
  const reader = new FieldReader(value, path);
  for (const name of ['scope', 'action', 'dryRun']) if (!reader.has(name)) reader.fail(name, 'is missing');
  const policy: Policy = {
    name: reader.requiredText('name'),
    namespace: reader.requiredText('namespace'),
    scope: reader.choice('scope', ['Global', 'Namespace', 'WorkloadSelector']),
    action: reader.choice('action', ['Allow', 'Deny']),
    rules: reader.requiredList('rules', (rule, at) =>
      listOf(rule, at, (clause, clauseAt) => listOf(clause, clauseAt, readMatch)),
    ),
    dryRun: reader.boolean('dryRun'),
  };
  reader.end();
  return policy;
}

function readMatch(value: unknown, path: string): PolicyMatch {
  const reader = new FieldReader(value, path);
  const match: PolicyMatch = {
    namespaces: reader.list('namespaces', readText),
    notNamespaces: reader.list('notNamespaces', readText),
    principals: reader.list('principals', readText),
    notPrincipals: reader.list('notPrincipals', readText),
    serviceAccounts: reader.list('serviceAccounts', readAccount),
    notServiceAccounts: reader.list('notServiceAccounts', readAccount),
    sourceIps: reader.list('sourceIps', readRange),
    notSourceIps: reader.list('notSourceIps', readRange),
    destinationIps: reader.list('destinationIps', readRange),
    notDestinationIps: reader.list('notDestinationIps', readRange),
    destinationPorts: reader.numbers('destinationPorts'),
    notDestinationPorts: reader.numbers('notDestinationPorts'),
  };
  reader.end();
  return match;
}

function readText(value: unknown, path: string): StringMatch {
  if (value instanceof TaggedMatch) return value.match;
  throw new LocalConfigError(`${path}: expected !Exact, !Prefix, !Suffix or !Presence`);
}

function readAccount(value: unknown, path: string): { namespace: string; serviceAccount: string } {
  const reader = new FieldReader(value, path);
  const account = {
    namespace: reader.requiredText('namespace'),
    serviceAccount: reader.requiredText('serviceAccount'),
  };
  reader.end();
  return account;
}

function readRange(value: unknown, path: string): AddressRange {
  const range = typeof value === 'string' ? parseRange(value) : null;
  if (range === null) throw new LocalConfigError(`${path}: expected a range of addresses, address/length`);
  return range;
}

/** `10.0.0.0/8`; null: it is none. */
export function parseRange(text: string): AddressRange | null {
  const slash = text.indexOf('/');
  const bytes = parseIp(slash < 0 ? text : text.slice(0, slash));
  const digits = slash < 0 ? '' : text.slice(slash + 1);
  if (bytes === null || (slash >= 0 && !/^\d{1,3}$/.test(digits))) return null;
  const length = slash < 0 ? bytes.length * 8 : Number(digits);
  return length <= bytes.length * 8 ? { bytes, length } : null;
}

function listOf<Item>(value: unknown, path: string, item: (one: unknown, at: string) => Item): Item[] {
  if (!Array.isArray(value)) throw new LocalConfigError(`${path}: expected a list`);
  return value.map((one, index) => item(one, `${path}[${index}]`));
}
