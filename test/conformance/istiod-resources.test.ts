import { expect, test } from 'vitest';
import { readRecorded, recordedResources } from './istiod-resources.ts';

/** What Istio can send and sekisho does not run: each is refused by its name. */
const refused = [
  /type 'envoy\.extensions\.filters\.http\.lua\.v3\.Lua' is not supported by sekisho$/,
  /type 'envoy\.extensions\.filters\.http\.wasm\.v3\.Wasm' is not supported by sekisho$/,
  /type 'envoy\.extensions\.filters\.network\.mongo_proxy\.v3\.MongoProxy' is not supported by sekisho$/,
];

test('what istiod sends is accepted, or refused by the name of what there is none of', async () => {
  const outcomes = await readRecorded(recordedResources());
  const unexpected = [...outcomes].filter(([, reason]) => {
    const reasons = reason === '' ? [] : reason.split('; ');
    return !reasons.every((one) => refused.some((known) => known.test(one)));
  });
  expect(unexpected).toEqual([]);
  const accepted = [...outcomes.values()].filter((reason) => reason === '').length;
  expect(outcomes.size).toBe(1013);
  expect(accepted).toBe(978);
});
