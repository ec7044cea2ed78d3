import type { Outcome, UpstreamAttempt } from '../outcome.ts';
import { withoutPort } from './address-operator.ts';
import { toBytes } from './byte-string.ts';
import { TextOperator } from './operator.ts';

type AttemptList = 'HOSTS' | 'HOST_NAMES' | 'CONNECTION_IDS';

/**
 * `%UPSTREAM_HOSTS_ATTEMPTED%` and its like: every host that a try had a connection to, in order and each once, the
 * last try included.
 */
export function attempted(list: AttemptList, isWithoutPort: boolean): TextOperator {
  const name = (attempt: UpstreamAttempt) => nameOf(attempt, list);
  return new TextOperator((outcome) => {
    const names = attemptsOf(outcome).map((attempt) => (isWithoutPort ? withoutPort(name(attempt)) : name(attempt)));
    return names.length === 0 ? null : toBytes([...new Set(names)].join(','));
  });
}

function nameOf({ host, hostName, connectionId }: UpstreamAttempt, list: AttemptList): string {
  switch (list) {
    case 'HOSTS':
      return host;
    case 'HOST_NAMES':
      return hostName || host;
    case 'CONNECTION_IDS':
      return String(connectionId);
  }
}

function attemptsOf(outcome: Outcome): UpstreamAttempt[] {
  const earlier = outcome.earlierAttempts ?? [];
  if (outcome.upstreamPeer === null) return earlier;
  const last = {
    host: outcome.upstreamHost,
    hostName: outcome.upstreamHostName,
    connectionId: outcome.upstreamConnectionId,
  };
  return [...earlier, last];
}
