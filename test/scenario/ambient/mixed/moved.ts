const loopback = Buffer.from([4, 127, 0]);

/**
 * The recorded mesh has addresses of loopback networks, which nobody can be reached at from another network namespace.
 * They are moved: 127.0.4.31 becomes 10.90.4.31, as text or as bytes, and nothing else of a message changes.
 */
export function moved(packed: Uint8Array): Uint8Array {
  const asText = Buffer.from(packed).toString('latin1');
  const text = asText.replaceAll(/127\.0\.(?=[456]\.)/g, '10.90.');
  const bytes = Buffer.from(text, 'latin1');
  // As bytes: four of them, behind their count.
  for (let at = bytes.indexOf(loopback); at >= 0; at = bytes.indexOf(loopback, at + 1))
    if (bytes[at + 3] >= 4 && bytes[at + 3] <= 6) bytes.set([10, 90], at + 1);
  return bytes;
}

/** Where pods of the recorded mesh are, by their names. */
export const podAddresses = {
  'client-1': '10.90.4.31',
  'shop-v1': '10.90.4.11',
  'shop-v2': '10.90.4.12',
  'ledger-1': '10.90.4.21',
  'nomesh-1': '10.90.4.22',
  'waypoint-1': '10.90.4.2',
  'node-1': '10.90.4.1',
  'node-2': '10.90.4.3',
} as const;
export type PodName = keyof typeof podAddresses;

export const outsideAddress = '10.90.0.1';

/** Of services; behind the waypoint but for `ledger`. */
export const services = { shop: '10.90.5.10', shopV1: '10.90.5.11', shopV2: '10.90.5.12', ledger: '10.90.5.20' };
