import { corsBuilder } from './cors/build.ts';
import { faultBuilder } from './fault/build.ts';
import type { FilterBuilder } from './filter.ts';
import { headerMutationBuilder } from './header-mutation/build.ts';

/** The HTTP filters by the message name of their configuration. Not the router: `proxy/http` is the router. */
export const httpFilterBuilders: ReadonlyMap<string, FilterBuilder> = new Map(
  [corsBuilder, faultBuilder, headerMutationBuilder].map((builder) => [builder.kind, builder]),
);
