import type { RequestHead } from '../../core/head.ts';
import { RouteConditions } from '../../route/match/route-conditions.ts';
import { pathOnly } from '../../route/path.ts';
import { PathMatch } from '../../route/path-match.ts';
import { Verdict, type FilterContext, type FilterFactory, type HttpFilter, type Stream } from '../filter.ts';
import { merged } from '../set-metadata/set-metadata.ts';
import { JwtFindings } from './authentication.ts';
import type { JwtAuthnData, JwtPerRouteData, NamedRequirementData } from './jwt-authn-data.ts';
import type { JwtStats } from './jwt-stats.ts';
import { JwtStatus } from './jwt-status.ts';
import { buildRequirement, type Requirement, type RequirementContext } from './requirement.ts';

const metadataNamespace = 'envoy.filters.http.jwt_authn';

/** Of the URI in `www-authenticate`. Envoy's. */
const realmPathMax = 256;

interface Rule {
  readonly path: PathMatch;
  readonly conditions: RouteConditions | null;
  readonly requirement: Requirement | null;
}

/** `envoy.filters.http.jwt_authn` of one connection manager: which requests need which tokens. */
export class JwtAuthn implements FilterFactory {
  readonly filterName: string;
  readonly stats: JwtStats;
  readonly stripsFailureResponse: boolean;
  readonly bypassesCorsPreflight: boolean;
  private readonly rules: readonly Rule[];
  private readonly named: ReadonlyMap<string, Requirement>;
  private readonly names: string;
  private readonly filterState: {
    readonly name: string;
    readonly requirements: ReadonlyMap<string, Requirement>;
  } | null;

  constructor(data: JwtAuthnData, parts: RequirementContext, { filterName, runtime }: FilterContext) {
    const build = (list: readonly NamedRequirementData[]): ReadonlyMap<string, Requirement> =>
      new Map(list.map(({ name, requirement }) => [name, buildRequirement(requirement, parts)]));
    this.filterName = filterName;
    this.stats = parts.stats;
    this.stripsFailureResponse = data.stripFailureResponse;
    this.bypassesCorsPreflight = data.bypassCorsPreflight;
    this.rules = data.rules.map(({ path, conditions, requirement }) => ({
      path: new PathMatch(path),
      conditions: conditions === null ? null : new RouteConditions(conditions, runtime),
      requirement: requirement === null ? null : buildRequirement(requirement, parts),
    }));
    this.named = build(data.requirements);
    this.names = data.requirements.map(({ name }) => name).join(',');
    this.filterState =
      data.filterState === null
        ? null
        : { name: data.filterState.name, requirements: build(data.filterState.requirements) };
  }

  create(): HttpFilter {
    return new JwtAuthnFilter(this);
  }

  /** What the request needs; null: nothing. A text: its route asks for what there is not. */
  requirementOf(stream: Stream, head: RequestHead): Requirement | null | string {
    const perRoute = stream.perFilterConfig(this.filterName) as JwtPerRouteData | undefined;
    if (perRoute !== undefined) {
      if (perRoute.requirement === null) return null;
      const missing = `Wrong requirement_name: ${perRoute.requirement}. It should be one of [${this.names}]`;
      return this.named.get(perRoute.requirement) ?? missing;
    }
    const path = pathOnly(head.path);
    for (const { path: match, conditions, requirement } of this.rules) {
      if (match.matches(path, path, head.method) && (conditions === null || conditions.hold(head, stream)))
        return requirement;
    }
    if (this.filterState === null) return null;
    const value = stream.outcome.filterState?.get(this.filterState.name);
    return typeof value === 'string' ? (this.filterState.requirements.get(value) ?? null) : null;
  }
}

/** One request's part in it. */
class JwtAuthnFilter implements HttpFilter {
  private readonly config: JwtAuthn;
  private findings: JwtFindings | null;

  constructor(config: JwtAuthn) {
    this.config = config;
    this.findings = null;
  }

  onRequestHead(stream: Stream, head: RequestHead): Verdict {
    const { config } = this;
    if (config.bypassesCorsPreflight && isCorsPreflight(head)) {
      config.stats.corsPreflightBypassed.inc();
      config.stats.allowed.inc();
      return Verdict.Continue;
    }
    const requirement = config.requirementOf(stream, head);
    if (requirement === null) {
      config.stats.allowed.inc();
      return Verdict.Continue;
    }
    if (typeof requirement === 'string') {
      this.refuseRoute(stream, requirement);
      return Verdict.Stop;
    }
    return this.check(stream, head, requirement);
  }

  onComplete(): void {
    if (this.findings !== null) this.findings.isOver = true;
  }

  private check(stream: Stream, head: RequestHead, requirement: Requirement): Verdict {
    const findings = new JwtFindings(stream, head);
    this.findings = findings;
    // The path may be written anew where a token is taken out of it.
    const realm = realmOf(head);
    let isWaiting = false;
    let hasPassed = false;
    requirement.check(findings, (status) => {
      if (findings.isOver) return;
      hasPassed = status === JwtStatus.Ok;
      if (hasPassed) this.accept(stream, findings);
      else this.refuse(stream, findings, status, realm);
      if (hasPassed && isWaiting) stream.resumeRequest(this);
    });
    isWaiting = true;
    return hasPassed ? Verdict.Continue : Verdict.Stop;
  }

  private accept(stream: Stream, findings: JwtFindings): void {
    this.config.stats.allowed.inc();
    setMetadata(stream, findings);
    if (findings.clearsRoute) stream.clearRoute();
  }

  private refuse(stream: Stream, findings: JwtFindings, status: JwtStatus, realm: string): void {
    const { config } = this;
    findings.isOver = true;
    config.stats.denied.inc();
    setMetadata(stream, findings);
    const error = status === JwtStatus.Missing ? '' : ', error="invalid_token"';
    stream.reply({
      status: status === JwtStatus.AudienceNotAllowed ? 403 : 401,
      body: config.stripsFailureResponse ? '' : status.text,
      details: `jwt_authn_access_denied{${status.text}}`,
      ...(config.stripsFailureResponse ? {} : { headers: [['www-authenticate', `Bearer realm="${realm}"${error}`]] }),
    });
  }

  private refuseRoute(stream: Stream, problem: string): void {
    const { config } = this;
    config.stats.denied.inc();
    stream.reply({
      status: 403,
      body: config.stripsFailureResponse ? '' : `Failed JWT authentication: ${problem}`,
      details: `jwt_authn_access_denied{${problem}}`,
    });
  }
}

function setMetadata({ outcome }: Stream, { metadata }: JwtFindings): void {
  if (metadata.size === 0) return;
  outcome.dynamicMetadata ??= new Map();
  const there = outcome.dynamicMetadata.get(metadataNamespace);
  const fresh = Object.fromEntries(metadata);
  outcome.dynamicMetadata.set(metadataNamespace, there === undefined ? fresh : merged(there, fresh));
}

/** The request's URI as its client wrote it. */
function realmOf(head: RequestHead): string {
  const path = head.headers.get('x-envoy-original-path') ?? head.path;
  return `${head.scheme}://${head.authority}${path.slice(0, realmPathMax)}`;
}

/** https://fetch.spec.whatwg.org/#cors-preflight-request: it carries no credentials. */
function isCorsPreflight(head: RequestHead): boolean {
  const { headers } = head;
  const isAsked = (name: string): boolean => (headers.get(name) ?? '') !== '';
  return head.method === 'OPTIONS' && isAsked('origin') && isAsked('access-control-request-method');
}
