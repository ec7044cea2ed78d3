/** Every stream that was recorded of istiod, played to sekisho: it comes to be ready, and takes all but what is listed. */
import { afterAll, describe, expect, test } from 'vitest';
import { recorded, recordedNodes } from '../xds/recorded-control-plane.ts';
import { inNamespace, programInNamespace } from './namespace.ts';

const rules = 'ip link set lo up && exec "$@"';

function reasonToSkip(): string | null {
  if (process.getuid?.() !== 0) return 'skipped: a network namespace needs root';
  const { output, error } = inNamespace(rules, 'echo', 'up');
  return output.trim() === 'up' ? null : `skipped: no network namespace here: ${error.trim()}`;
}

const reason = reasonToSkip();
if (reason !== null) console.log(reason);

/** Those that were recorded without a bootstrap have another's of their kind. */
function bootstrapOf(node: string): string {
  if (node === 'ambient/sidecar-hbone') return 'sidecar-client-productpage';
  if (node === 'ambient/router-hbone') return 'router-ingress';
  if (node === 'ambient/waypoint') return 'waypoint-empty';
  return node.split('/')[0];
}

/** Extensions that sekisho has not: what has one of them is refused by its name, and everything else is taken. */
const refused =
  /^(?:\S+: )?\S+: extension '\S+' \(\S+\) of type 'envoy\.extensions\.(?:filters\.http\.lua|filters\.http\.wasm|filters\.network\.wasm|filters\.network\.mongo_proxy)\.v3\.\w+' is not supported by sekisho$/;

const streams = recordedNodes()
  .filter((node) => node !== 'ambient/ztunnel')
  .flatMap((node) => ['sotw', 'delta'].map((session) => [node, session] as const))
  .filter(([node, session]) => recorded(node, session).length > 0);

describe.skipIf(reason !== null)('what istiod has sent', () => {
  let sent = 0;
  let refusedCount = 0;
  afterAll(() => console.log(`of ${sent} resources that istiod has sent ${refusedCount} are refused`));

  test.each(streams)('%s, %s', (node, session) => {
    const { output, error } = programInNamespace(rules, 'replayed.ts', node, session, bootstrapOf(node));
    const { problem, said } = JSON.parse(output || '{}') as { problem: string; said: Record<string, string> };
    expect(problem, error).toBe('');
    const refusals = Object.values(said).flatMap((refusal) => refusal.split('\n').filter((line) => line !== ''));
    sent += recorded(node, session).reduce((sum, { names }) => sum + names.length, 0);
    refusedCount += refusals.length;
    const reasons = refusals.flatMap((line) => line.replace(/^Error adding\/updating \w+\(s\) /, '').split('; '));
    const isListed = (one: string): boolean => refused.test(one) || one.endsWith('...(truncated)');
    expect(reasons.filter((one) => !isListed(one))).toEqual([]);
    expect(Object.keys(said)).toContain('Listener');
  });
});
