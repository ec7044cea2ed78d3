import { Audiences } from './audiences.ts';
import { Authentication, type Asked, type JwtFindings } from './authentication.ts';
import type { JwtRequirementData } from './jwt-authn-data.ts';
import type { JwtStats } from './jwt-stats.ts';
import { JwtStatus } from './jwt-status.ts';
import type { Provider } from './provider.ts';
import type { Providers } from './providers.ts';
import { TokenLocations } from './token-locations.ts';

/** Envoy's. */
const failureHeaderDefault = 'x-jwt-signature-verified';

export interface RequirementContext {
  readonly providers: Providers;
  readonly stats: JwtStats;
}

/** What the tokens of a request must be. */
export interface Requirement {
  /** `done` hears once, perhaps before this returns. */
  check(findings: JwtFindings, done: (status: JwtStatus) => void): void;
}

export function buildRequirement(data: JwtRequirementData, context: RequirementContext): Requirement {
  switch (data.kind) {
    case 'none':
      return { check: (_findings, done) => done(JwtStatus.Ok) };
    case 'provider': {
      const provider = context.providers.named(data.provider);
      const audiences = data.audiences.length === 0 ? null : new Audiences(data.audiences);
      return ofTokens([provider], { provider, audiences, allowsMissing: false, allowsFailed: false }, context);
    }
    case 'allowMissing':
    case 'allowMissingOrFailed': {
      const allowsFailed = data.kind === 'allowMissingOrFailed';
      const asked = { provider: null, audiences: null, allowsMissing: true, allowsFailed };
      return ofTokens(context.providers.all, asked, context);
    }
    case 'extractOnly': {
      const failureHeader = data.failureHeader === '' ? failureHeaderDefault : data.failureHeader;
      const asked = { provider: null, audiences: null, allowsMissing: true, allowsFailed: true, failureHeader };
      return ofTokens(context.providers.all, asked, context);
    }
    case 'all':
      return new AllOf(data.requirements.map((requirement) => buildRequirement(requirement, context)));
    case 'any':
      return anyOf(data.requirements, context);
  }
}

function ofTokens(providers: readonly Provider[], asked: Asked, context: RequirementContext): Requirement {
  const locations = new TokenLocations(providers.map(({ data }) => data));
  return {
    check(findings, done) {
      locations.sanitize(findings.head);
      new Authentication(asked, locations.find(findings.head), findings, context, done).start();
    },
  };
}

/** Those that allow missing or failed tokens say what becomes of the others' verdict; alone, they are asked themselves. */
function anyOf(requirements: readonly JwtRequirementData[], context: RequirementContext): Requirement {
  const others = requirements.filter(({ kind }) => kind !== 'allowMissing' && kind !== 'allowMissingOrFailed');
  const allowsFailed = requirements.some(({ kind }) => kind === 'allowMissingOrFailed');
  const allowsMissing = requirements.some(({ kind }) => kind === 'allowMissing');
  if (others.length === 0)
    return buildRequirement({ kind: allowsFailed ? 'allowMissingOrFailed' : 'allowMissing' }, context);
  const forgive = (status: JwtStatus): JwtStatus => {
    const isForgiven = allowsFailed || (allowsMissing && status === JwtStatus.Missing);
    return isForgiven ? JwtStatus.Ok : status;
  };
  return new AnyOf(
    others.map((requirement) => buildRequirement(requirement, context)),
    forgive,
  );
}

class AllOf implements Requirement {
  private readonly requirements: readonly Requirement[];

  constructor(requirements: readonly Requirement[]) {
    this.requirements = requirements;
  }

  check(findings: JwtFindings, done: (status: JwtStatus) => void): void {
    let left = this.requirements.length;
    for (const requirement of this.requirements) {
      if (left <= 0) return;
      requirement.check(findings, (status) => {
        if (left <= 0) return;
        left = status === JwtStatus.Ok ? left - 1 : 0;
        if (left === 0) done(status);
      });
    }
  }
}

class AnyOf implements Requirement {
  private readonly requirements: readonly Requirement[];
  private readonly forgive: (status: JwtStatus) => JwtStatus;

  constructor(requirements: readonly Requirement[], forgive: (status: JwtStatus) => JwtStatus) {
    this.requirements = requirements;
    this.forgive = forgive;
  }

  check(findings: JwtFindings, done: (status: JwtStatus) => void): void {
    const statuses: JwtStatus[] = this.requirements.map(() => JwtStatus.Missing);
    let left = this.requirements.length;
    for (const [i, requirement] of this.requirements.entries()) {
      if (left <= 0) return;
      requirement.check(findings, (status) => {
        if (left <= 0) return;
        statuses[i] = status;
        left = status === JwtStatus.Ok ? 0 : left - 1;
        if (left === 0) done(status === JwtStatus.Ok ? status : this.forgive(mostTelling(statuses)));
      });
    }
  }
}

/** Rather what is wrong with a token than that it is another's, and rather that than that there is none. */
function mostTelling(statuses: readonly JwtStatus[]): JwtStatus {
  let told: JwtStatus = JwtStatus.Missing;
  for (const status of statuses) {
    const isTelling = status !== JwtStatus.Missing && status !== JwtStatus.UnknownIssuer;
    if (isTelling || told === JwtStatus.Missing) told = status;
  }
  return told;
}
