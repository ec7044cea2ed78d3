import { buildMatcher, type Matcher, type MatchInput } from '../../match/matcher.ts';
import type { MatcherData } from '../../match/matcher-data.ts';
import { buildValueMatcher } from '../../observe/access-log/filter.ts';
import { expressionEngine } from '../../observe/expression/expressions.ts';
import { stateText } from '../../observe/filter-state.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { StringMatcherData } from '../../route/match/matcher-data.ts';
import { StringMatcher } from '../../route/match/string-matcher.ts';
import { wireText } from '../../route/wire-text.ts';
import { merged } from '../set-metadata/set-metadata.ts';
import { networkInput } from './inputs.ts';
import { PoliciesByHost } from './policies-by-host.ts';
import type { EngineData, PolicyData, RbacAction, RbacActionData, RbacInputData, RbacTestData } from './rbac-data.ts';
import { all, any, buildRule, memberOf, type Rule } from './rules.ts';

/** What was decided, and by which policy. One object for each answer that an engine can give, made when it is built. */
export class Decision {
  readonly isAllowed: boolean;
  /** Empty: none has matched. */
  readonly policy: string;
  /** `access_log_hint`; null: nothing is said of logging. */
  hint: boolean | null;
  private readonly noted: Map<string, Readonly<Record<string, string>>>;

  constructor(isAllowed: boolean, policy: string, hint: boolean | null) {
    this.isAllowed = isAllowed;
    this.policy = policy;
    this.hint = hint;
    this.noted = new Map();
  }

  /** RESPONSE_CODE_DETAILS of the denial. White space in names would break logs. */
  get details(): string {
    return `rbac_access_denied_matched_policy[${wireText(this.policy || 'none').replace(/[ \t\n\v\f\r]/g, '_')}]`;
  }

  /** For the dynamic metadata; `prefix` is in front of both names: `istio_dry_run_allow_shadow`, `enforced`. */
  metadata(prefix: string): Readonly<Record<string, string>> {
    const known = this.noted.get(prefix);
    if (known !== undefined) return known;
    const policy = this.policy === '' ? {} : { [`${prefix}_effective_policy_id`]: this.policy };
    const made = Object.freeze({ ...policy, [`${prefix}_engine_result`]: this.isAllowed ? 'allowed' : 'denied' });
    this.noted.set(prefix, made);
    return made;
  }
}

/** `rules` or a `matcher`, compiled. */
export interface RbacEngine {
  decide(outcome: Outcome): Decision;
}

/** Says to loggers whether this is to be logged (Istio's and Envoy's `envoy.common`); not for shadows. */
export function noteHint(outcome: Outcome, { hint }: Decision): void {
  if (hint !== null) noteMetadata(outcome, 'envoy.common', { access_log_hint: hint });
}

export function noteMetadata(outcome: Outcome, namespace: string, fresh: Readonly<Record<string, unknown>>): void {
  const metadata = (outcome.dynamicMetadata ??= new Map());
  const there = metadata.get(namespace);
  metadata.set(namespace, there === undefined ? fresh : merged(there, fresh));
}

export function buildEngine(data: EngineData): RbacEngine {
  return data.kind === 'policies' ? new PolicyEngine(data.action, data.policies) : new MatcherEngine(data.matcher);
}

class PolicyEngine implements RbacEngine {
  private readonly policies: readonly Rule[];
  private readonly byHost: PoliciesByHost;
  private readonly decisions: readonly Decision[];
  private readonly unmatched: Decision;

  constructor(action: RbacAction, policies: readonly PolicyData[]) {
    const isLog = action === 'LOG';
    this.policies = policies.map(buildPolicy);
    this.byHost = new PoliciesByHost(policies);
    this.decisions = policies.map(({ name }) => new Decision(action !== 'DENY', name, isLog ? true : null));
    this.unmatched = new Decision(action !== 'ALLOW', '', isLog ? false : null);
  }

  decide(outcome: Outcome): Decision {
    const { policies, byHost } = this;
    const { others } = byHost;
    const own = byHost.of(outcome);
    let i = 0;
    let j = 0;
    // In the order of all of them.
    while (i < own.length || j < others.length) {
      const place = j === others.length || (i < own.length && own[i] < others[j]) ? own[i++] : others[j++];
      if (policies[place](outcome)) return this.decisions[place];
    }
    return this.unmatched;
  }
}

/** The condition is asked last, and what comes to no boolean is no match. */
function buildPolicy({ permissions, principals, condition }: PolicyData): Rule {
  const rules = [any(permissions.map(buildRule)), any(principals.map(buildRule))];
  if (condition === null) return all(rules);
  const expression = expressionEngine().build(condition, false);
  return all([...rules, (outcome) => expression.matches(outcome)]);
}

class MatcherEngine implements RbacEngine {
  private readonly matcher: Matcher<Outcome, Decision>;
  private readonly unmatched: Decision;

  constructor(data: MatcherData) {
    const decisions: { readonly decision: Decision; readonly isLog: boolean }[] = [];
    this.unmatched = new Decision(false, '', null);
    this.matcher = buildMatcher<Outcome, Decision>(data, {
      untold: this.unmatched,
      input: (input) => buildInput(input as RbacInputData),
      string: (string) => new StringMatcher(string as StringMatcherData),
      action: (action) => {
        const { name, action: what } = action as RbacActionData;
        const decision = new Decision(what !== 'DENY', name, null);
        decisions.push({ decision, isLog: what === 'LOG' });
        return decision;
      },
      custom: (input, test) => buildTest(input as RbacInputData, test as RbacTestData),
    });
    // Where one action logs, all the others say that they do not.
    if (decisions.some(({ isLog }) => isLog)) for (const { decision, isLog } of decisions) decision.hint = isLog;
  }

  decide(outcome: Outcome): Decision {
    return this.matcher.match(outcome) ?? this.unmatched;
  }
}

function buildInput(data: RbacInputData): MatchInput<Outcome> {
  switch (data.kind) {
    case 'network':
      return networkInput(data.name);
    case 'header':
      return ({ requestHead }) => {
        const values = requestHead?.getAll(data.name) ?? [];
        return values.length === 0 ? null : values.join(',');
      };
    case 'filter-state':
      return ({ filterState }) => stateText(filterState?.get(data.key));
    case 'metadata':
    case 'attributes':
      // No text: only a test of its own reads it.
      return () => null;
  }
}

function buildTest(input: RbacInputData, test: RbacTestData): Rule {
  if (test.kind === 'expression') {
    const expression = expressionEngine().build(test.expression, false);
    return (outcome) => expression.matches(outcome);
  }
  const matches = buildValueMatcher(test.value);
  const { filter, path } = input.kind === 'metadata' ? input : { filter: '', path: [] };
  return ({ dynamicMetadata }) => {
    let value = dynamicMetadata?.get(filter);
    for (const key of path) value = memberOf(value, key);
    return (value !== undefined && matches(value)) !== test.invert;
  };
}
