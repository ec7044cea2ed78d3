import type { RequestHead } from '../../../core/head.ts';
import type { RouteWaiter } from '../../../filter/on-demand/on-demand-data.ts';
import type { RouteConfigurationData } from '../../../route/route-data.ts';
import { lowerAscii } from '../../../route/wire-text.ts';
import type { RouteLookups } from './route-lookups.ts';
import type { RouteQuestion } from './route-question.ts';

/** What may be asked for a request that has no route. Null: nothing. */
export type QuestionOf = (head: RequestHead) => RouteQuestion | null;

const nothing: QuestionOf = () => null;

/** Virtual hosts that come when they are asked for, of a route configuration that has come by RDS under `key`. */
export function hostQuestions({ usesVhds }: RouteConfigurationData, key: string): QuestionOf {
  return usesVhds === true ? ({ authority }) => ({ kind: 'host', key, host: lowerAscii(authority) }) : nothing;
}

/** What of one connection manager's routes may be asked for when a request has none. */
export class MissingRoutes {
  /** As its routes are now. */
  questionOf: QuestionOf;
  private readonly lookups: RouteLookups;

  constructor(lookups: RouteLookups) {
    this.questionOf = nothing;
    this.lookups = lookups;
  }

  /** @returns how to ask no more; null: nobody is told, for nothing will be asked for */
  want(head: RequestHead, waiter: RouteWaiter): (() => void) | null {
    const question = this.questionOf(head);
    if (question === null || this.lookups.want(question, waiter) === 'refused') return null;
    return () => this.lookups.cancel(question, waiter);
  }
}
