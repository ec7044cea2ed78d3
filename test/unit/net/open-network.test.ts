import { describe, expect, it } from 'vitest';
import { NodeNetwork } from '../../../src/net/node-network.ts';
import { openNetwork } from '../../../src/net/open-network.ts';
import { UringNetwork } from '../../../src/net/uring/uring-network.ts';
import { noRing } from './uring/rings.ts';

describe('opening the network', () => {
  it('takes node:net if told to, and has nothing to explain', () => {
    const { network, backend, reason } = openNetwork('node', null);
    expect(network).toBeInstanceOf(NodeNetwork);
    expect({ backend, reason }).toEqual({ backend: 'node', reason: '' });
  });

  it('takes io_uring where there is one, else says why not', () => {
    const { network, backend, reason } = openNetwork('auto', null);
    expect(backend).toBe(noRing === '' ? 'io_uring' : 'node');
    expect(reason).toBe(noRing);
    if (network instanceof UringNetwork) network.close();
  });
});
