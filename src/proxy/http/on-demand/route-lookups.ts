import type { RouteWaiter } from '../../../filter/on-demand/on-demand-data.ts';
import { questionKey, type RouteQuestion } from './route-question.ts';

/** Questions that one worker waits for at a time: whoever sends requests may name any host. */
const pendingMax = 1024;
const nameLengthMax = 1024;

/**
 * Virtual hosts and scopes that requests of this worker wait for. As in Envoy there is no end to that but the stream's own.
 * Source: Envoy `RdsRouteConfigUpdateRequester`.
 */
export class RouteLookups {
  private readonly ask: (question: RouteQuestion) => void;
  private readonly pending: Map<string, Set<RouteWaiter>>;

  constructor(ask: (question: RouteQuestion) => void) {
    this.ask = ask;
    this.pending = new Map();
  }

  /** `refused`: nobody is told, for it will not be asked for. */
  want(question: RouteQuestion, waiter: RouteWaiter): 'waiting' | 'refused' {
    const key = questionKey(question);
    const known = this.pending.get(key);
    if (known !== undefined) {
      known.add(waiter);
      return 'waiting';
    }
    if (question.host.length > nameLengthMax || this.pending.size >= pendingMax) return 'refused';
    this.pending.set(key, new Set([waiter]));
    this.ask(question);
    return 'waiting';
  }

  /** It is no longer interested; what it has asked for comes for others. */
  cancel(question: RouteQuestion, waiter: RouteWaiter): void {
    this.pending.get(questionKey(question))?.delete(waiter);
  }

  /** Behind whatever has come of it. */
  answered(question: RouteQuestion, isThere: boolean): void {
    const key = questionKey(question);
    const waiters = this.pending.get(key);
    this.pending.delete(key);
    for (const waiter of waiters ?? []) waiter.onRoute(isThere);
  }
}
