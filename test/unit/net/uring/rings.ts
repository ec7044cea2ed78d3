import { DescriptorTable } from '../../../../src/net/uring/descriptor-table.ts';
import { whyNoRing } from '../../../../src/net/uring/probe.ts';
import { UringNetwork } from '../../../../src/net/uring/uring-network.ts';

/** Why there is nothing to test; empty: there is. */
export const noRing = whyNoRing();
if (noRing !== '') console.warn(`no io_uring here: ${noRing}`);

/** Tests wait with Node's own means, which a ring's thread gives a round at least this often. */
const waitMs = 1;

export function openRingNetwork(): UringNetwork {
  return new UringNetwork(new DescriptorTable(), waitMs);
}
