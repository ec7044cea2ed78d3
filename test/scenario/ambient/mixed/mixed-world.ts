import type { NodeProxy } from '../../../peers/ztunnel/node-proxy.ts';
import { until } from '../../wait.ts';
import type { Program } from '../programs.ts';
import type { IstioProxy } from './istio-proxy.ts';

/** What there is, and how it is started again. */
export interface MixedWorld {
  /** Servers in `shop-v1` and in `client-1`. */
  readonly server: Program;
  readonly client: Program;
  /** ztunnel of `shop-v1`, of `ledger-1` and, without a sidecar, of `client-1`. */
  readonly first: NodeProxy;
  /** The waypoint or the sidecar. */
  readonly proxy: IstioProxy;
  startProxy(): Promise<IstioProxy>;
  startFirst(): Promise<NodeProxy>;
}

export type Seen = Record<string, unknown>;

/** Who was at both ends of the first connection of which the ztunnel says this. */
export async function identitiesOf({ first }: MixedWorld, ...words: readonly string[]): Promise<string[]> {
  const line = await until(`the ztunnel to tell of ${words.join(' and ')}`, () =>
    first.accessLines().find((text) => words.every((word) => text.includes(word))),
  );
  return ['src', 'dst'].map((side) => new RegExp(`${side}\\.identity="([^"]*)"`).exec(line)?.[1] ?? '');
}
