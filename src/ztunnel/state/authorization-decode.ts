import { fromBinary } from '../../proto/protobuf.js';
import {
  Action,
  AuthorizationSchema,
  Scope,
  type Address,
  type Match,
  type ServiceAccountMatch as AccountMessage,
  type StringMatch as TextMessage,
} from '../../proto/istio/authorization_pb.js';
import type { AddressRange, Policy, PolicyMatch, ServiceAccountMatch, StringMatch } from './policy.ts';

/** `istio.security.Authorization` as plain data. @throws Error with what is wrong with it */
export function decodeAuthorization(packed: Uint8Array): Policy {
  const message = fromBinary(AuthorizationSchema, packed);
  return {
    name: message.name,
    namespace: message.namespace,
    scope: scopeOf(message.scope),
    action: actionOf(message.action),
    rules: message.rules.map(({ clauses }) => clauses.map(({ matches }) => matches.map(matchOf))),
    dryRun: message.dryRun,
  };
}

/** What is not known must not become something that allows. */
function scopeOf(scope: Scope): Policy['scope'] {
  switch (scope) {
    case Scope.GLOBAL:
      return 'Global';
    case Scope.NAMESPACE:
      return 'Namespace';
    case Scope.WORKLOAD_SELECTOR:
      return 'WorkloadSelector';
    default:
      throw new Error(`unknown scope ${String(scope)}`);
  }
}

function actionOf(action: Action): Policy['action'] {
  if (action === Action.ALLOW) return 'Allow';
  if (action === Action.DENY) return 'Deny';
  throw new Error(`unknown action ${String(action)}`);
}

function matchOf(match: Match): PolicyMatch {
  return {
    namespaces: match.namespaces.map(textOf),
    notNamespaces: match.notNamespaces.map(textOf),
    principals: match.principals.map(textOf),
    notPrincipals: match.notPrincipals.map(textOf),
    serviceAccounts: match.serviceAccounts.map(accountOf),
    notServiceAccounts: match.notServiceAccounts.map(accountOf),
    sourceIps: match.sourceIps.map(rangeOf),
    notSourceIps: match.notSourceIps.map(rangeOf),
    destinationIps: match.destinationIps.map(rangeOf),
    notDestinationIps: match.notDestinationIps.map(rangeOf),
    destinationPorts: match.destinationPorts,
    notDestinationPorts: match.notDestinationPorts,
  };
}

function textOf({ matchType }: TextMessage): StringMatch {
  switch (matchType.case) {
    case 'exact':
      return { kind: 'Exact', value: matchType.value };
    case 'prefix':
      return { kind: 'Prefix', value: matchType.value };
    case 'suffix':
      return { kind: 'Suffix', value: matchType.value };
    case 'presence':
      return { kind: 'Presence' };
    default:
      throw new Error('a match of a text without a kind');
  }
}

function accountOf({ namespace, serviceAccount }: AccountMessage): ServiceAccountMatch {
  return { namespace, serviceAccount };
}

function rangeOf({ address, length }: Address): AddressRange {
  if (address.length !== 4 && address.length !== 16) throw new Error(`an address of ${address.length} bytes`);
  if (length > address.length * 8)
    throw new Error(`a prefix of ${length} bits of an address of ${address.length} bytes`);
  return { bytes: new Uint8Array(address), length };
}
