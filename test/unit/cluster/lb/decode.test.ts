import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import { Reasons } from '../../../../src/core/rejection.ts';
import { decodeLb } from '../../../../src/cluster/lb/decode.ts';
import { ClusterSchema } from '../../../../src/proto/envoy/config/cluster/v3/cluster_pb.js';

function decode(yaml: string) {
  const { message } = parseMessage(readConfig({ text: `name: c\n${yaml}` }), ClusterSchema);
  const reasons = new Reasons('c');
  const data = decodeLb(message, reasons);
  return { ...data, reasons: reasons.list.map(({ path, message: text }) => `${path}: ${text}`) };
}

const typed = (policy: string, settings = ''): string =>
  `load_balancing_policy: { policies: [{ typed_extension_config: { name: p, typed_config: { '@type': type.googleapis.com/envoy.extensions.load_balancing_policies.${policy}${settings === '' ? '' : `, ${settings}`} } } }] }`;

const list = (policy: string): string =>
  `{ policies: [{ typed_extension_config: { name: p, typed_config: { '@type': type.googleapis.com/envoy.extensions.load_balancing_policies.${policy} } } }] }`;

describe('ring_hash', () => {
  const defaults = { kind: 'ring-hash', ringSizeMin: 1024, ringSizeMax: 8_388_608, hashFunction: 'xx' };

  it('has Envoy’s defaults, in both forms', () => {
    expect(decode('lb_policy: RING_HASH').policy).toMatchObject(defaults);
    expect(decode(typed('ring_hash.v3.RingHash')).policy).toMatchObject(defaults);
  });

  it('takes what is configured', () => {
    const common =
      'common_lb_config: { consistent_hashing_lb_config: { use_hostname_for_hashing: true, hash_balance_factor: 150 } }';
    const own = 'ring_hash_lb_config: { minimum_ring_size: 3, maximum_ring_size: 9, hash_function: MURMUR_HASH_2 }';
    const expected = {
      kind: 'ring-hash',
      ringSizeMin: 3,
      ringSizeMax: 9,
      hashFunction: 'murmur2',
      usesHostname: true,
      balanceFactor: 150,
    };
    expect(decode(`type: STRICT_DNS\nlb_policy: RING_HASH\n${own}\n${common}`).policy).toEqual(expected);
    expect(decode(`type: LOGICAL_DNS\nlb_policy: RING_HASH\n${common}`).reasons).toEqual([
      "c.common_lb_config: Cannot use hostname for consistent hashing loadbalancing for cluster of type: 'envoy.cluster.logical_dns'",
    ]);
    const inside = 'consistent_hashing_lb_config: { use_hostname_for_hashing: true, hash_balance_factor: 150 }';
    const settings = `minimum_ring_size: 3, maximum_ring_size: 9, hash_function: MURMUR_HASH_2, ${inside}`;
    expect(decode(typed('ring_hash.v3.RingHash', settings)).policy).toEqual(expected);
    const old =
      'minimum_ring_size: 3, maximum_ring_size: 9, hash_function: MURMUR_HASH_2, use_hostname_for_hashing: true, hash_balance_factor: 150';
    expect(decode(typed('ring_hash.v3.RingHash', old)).policy).toEqual(expected);
  });

  it('is refused in Envoy’s words where its sizes contradict each other', () => {
    expect(
      decode('lb_policy: RING_HASH\nring_hash_lb_config: { minimum_ring_size: 9, maximum_ring_size: 3 }').reasons,
    ).toEqual(['c.ring_hash_lb_config: ring hash: minimum_ring_size (9) > maximum_ring_size (3)']);
  });

  it('refuses a hash policy of its own by name', () => {
    const settings = 'consistent_hashing_lb_config: { hash_policy: [{ header: { header_name: a } }] }';
    expect(decode(typed('ring_hash.v3.RingHash', settings)).reasons.join()).toContain("'hash_policy'");
  });
});

describe('maglev', () => {
  it('has a table of 65537 places unless it is told another prime', () => {
    expect(decode('lb_policy: MAGLEV').policy).toMatchObject({ kind: 'maglev', tableSize: 65_537 });
    const { policy, localityWeighted } = decode(
      typed('maglev.v3.Maglev', 'table_size: 13, locality_weighted_lb_config: {}'),
    );
    expect(policy).toMatchObject({ kind: 'maglev', tableSize: 13 });
    expect(localityWeighted).toBe(true);
  });

  it.each([1, 4, 100])('refuses a table of %d places', (size) => {
    expect(decode(`lb_policy: MAGLEV\nmaglev_lb_config: { table_size: ${size} }`).reasons).toEqual([
      'c.maglev_lb_config.table_size: The table size of maglev must be prime number',
    ]);
  });
});

describe('slow start', () => {
  const config =
    '{ slow_start_window: 10s, aggression: { default_value: 2, runtime_key: a }, min_weight_percent: { value: 20 } }';
  const slowStart = { windowMs: 10_000, aggression: 2, aggressionKey: 'a', shareMin: 0.2 };

  it.each([
    `round_robin_lb_config: { slow_start_config: ${config} }`,
    `lb_policy: LEAST_REQUEST\nleast_request_lb_config: { slow_start_config: ${config} }`,
    typed('round_robin.v3.RoundRobin', `slow_start_config: ${config}`),
    typed('least_request.v3.LeastRequest', `slow_start_config: ${config}`),
  ])('%s', (yaml) => {
    expect(decode(yaml).policy).toMatchObject({ slowStart });
  });

  it('has Envoy’s defaults, and none without a window', () => {
    expect(decode('round_robin_lb_config: { slow_start_config: { slow_start_window: 1s } }').policy).toMatchObject({
      slowStart: { windowMs: 1000, aggression: 1, aggressionKey: '', shareMin: 0.1 },
    });
    expect(decode('round_robin_lb_config: { slow_start_config: {} }').policy).toEqual({ kind: 'round-robin' });
  });
});

describe('subsets', () => {
  const selectors = 'subset_selectors: [{ keys: [b, a, b] }]';

  it('surround the policy, in both forms', () => {
    const expected = {
      kind: 'subset',
      inner: { policy: { kind: 'random' } },
      fallback: 'default',
      defaultSubset: { a: 1 },
      selectors: [{ keys: ['a', 'b'], singleHost: false, fallback: 'undefined', fallbackKeys: [] }],
    };
    const settings = `fallback_policy: DEFAULT_SUBSET, default_subset: { a: 1 }, ${selectors}`;
    expect(decode(`lb_policy: RANDOM\nlb_subset_config: { ${settings} }`).policy).toMatchObject(expected);
    const inner = `subset_lb_policy: ${list('random.v3.Random')}`;
    expect(decode(typed('subset.v3.Subset', `${settings}, ${inner}`)).policy).toMatchObject(expected);
  });

  it('are none without selectors', () => {
    expect(decode('lb_subset_config: { fallback_policy: ANY_ENDPOINT }').policy).toEqual({ kind: 'round-robin' });
  });

  it.each([
    ['{ keys: [a], fallback_policy: KEYS_SUBSET }', 'fallback_keys_subset cannot be empty'],
    [
      '{ keys: [a], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [b] }',
      'fallback_keys_subset must be a subset of selector keys',
    ],
    [
      '{ keys: [a], fallback_policy: KEYS_SUBSET, fallback_keys_subset: [a] }',
      'fallback_keys_subset cannot be equal to keys',
    ],
    [
      '{ keys: [a, b], fallback_keys_subset: [a] }',
      'fallback_keys_subset can be set only for KEYS_SUBSET fallback_policy',
    ],
  ])('are refused in Envoy’s words: %s', (selector, reason) => {
    expect(decode(`lb_subset_config: { subset_selectors: [${selector}] }`).reasons).toEqual([
      `c.lb_subset_config.subset_selectors[0].fallback_keys_subset: ${reason}`,
    ]);
  });
});

describe('policies around others', () => {
  it('wrr_locality weighs localities', () => {
    const yaml = typed('wrr_locality.v3.WrrLocality', `endpoint_picking_policy: ${list('round_robin.v3.RoundRobin')}`);
    expect(decode(yaml)).toMatchObject({ policy: { kind: 'round-robin' }, localityWeighted: true, reasons: [] });
    expect(decode(typed('wrr_locality.v3.WrrLocality')).reasons.join()).toContain(
      'No supported endpoint picking policy.',
    );
  });

  it('override_host knows where requests name their hosts', () => {
    const sources =
      'override_host_sources: [{ header: X-Host }, { metadata: { key: f, path: [{ key: a }, { key: b }] } }]';
    const yaml = typed('override_host.v3.OverrideHost', `${sources}, fallback_policy: ${list('random.v3.Random')}`);
    expect(decode(yaml).policy).toMatchObject({
      kind: 'override-host',
      sources: [
        { kind: 'header', name: 'x-host' },
        { kind: 'metadata', path: ['f', 'a', 'b'] },
      ],
      inner: { policy: { kind: 'random' } },
    });
  });

  it('refuses by name what is not there', () => {
    const yaml = typed('client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin');
    expect(decode(yaml).reasons.join()).toContain('is not supported by sekisho');
    expect(decode(typed('cluster_provided.v3.ClusterProvided')).reasons).toHaveLength(1);
  });
});
