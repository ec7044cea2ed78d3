import type { RequestHead } from '../../core/head.ts';
import type { Outcome } from '../../observe/outcome.ts';
import { applyAll, HeaderMutations, type MutationLevels } from '../mutate/header-mutations.ts';
import { portStart } from '../path.ts';
import type { FormatCompiler, Mirror, RouteRuntime } from '../route.ts';
import type { MirrorData } from './mirror-data.ts';

const suffix = '-shadow';

/** One of `request_mirror_policies`, built. */
export class ConfiguredMirror implements Mirror {
  readonly isSampled: boolean | null;
  private readonly data: MirrorData;
  private readonly mutations: MutationLevels;
  private readonly runtime: RouteRuntime;

  constructor(data: MirrorData, compile: FormatCompiler, runtime: RouteRuntime) {
    this.isSampled = data.isSampled ?? null;
    this.data = data;
    this.mutations = data.mutations.map((mutation) => new HeaderMutations(mutation, 'request', compile));
    this.runtime = runtime;
  }

  cluster(head: RequestHead): string {
    return this.data.cluster === '' ? (head.get(this.data.header) ?? '') : this.data.cluster;
  }

  wants(random: number): boolean {
    const { fraction } = this.data;
    if (fraction === null) return true;
    const { key, numerator, denominator } = fraction;
    return this.runtime.fraction(key, numerator, denominator, random);
  }

  prepare(head: RequestHead, outcome: Outcome): void {
    applyAll(this.mutations, head.headers, outcome);
    const { host, keepsHost } = this.data;
    if (host !== '') head.authority = host;
    else if (!keepsHost) head.authority = shadowHost(head.authority);
  }
}

/** `-shadow` behind the name, in front of a port. */
function shadowHost(authority: string): string {
  if (authority === '') return authority;
  const port = portStart(authority);
  return port < 0 ? authority + suffix : authority.slice(0, port) + suffix + authority.slice(port);
}
