import { readRecorded, recordedResources } from '../test/conformance/istiod-resources.ts';

/** Prints how many of istiod's recorded resources are accepted, and why the others are not. */
const resources = recordedResources();
const outcomes = await readRecorded(resources);
const refused = [...outcomes].filter(([, reason]) => reason !== '');
const reasons = new Map<string, string[]>();
for (const [place, reason] of refused)
  for (const one of new Set(reason.split('; ').map((text) => text.replace(/\[\d+\]/g, '[]')))) {
    const places = reasons.get(one);
    if (places === undefined) reasons.set(one, [place]);
    else places.push(place);
  }
for (const [reason, places] of [...reasons].toSorted(([, a], [, b]) => b.length - a.length))
  process.stdout.write(`${places.length}  ${reason}\n       ${places[0]}\n`);
process.stdout.write(`accepted ${outcomes.size - refused.length} of ${outcomes.size}\n`);
