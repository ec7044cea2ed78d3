import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { isRefused, parseBootstrap } from '../../../src/config/parse.ts';
import { place } from '../../../src/config/place.ts';
import { verdicts } from './verdicts.ts';

describe("Envoy's verdicts", () => {
  it.each(verdicts)('$name', ({ text, extension, isAccepted }) => {
    const document = readConfig({ path: `bootstrap.${extension}`, text });
    const { reasons } = parseBootstrap(document);
    expect({ isAccepted: !isRefused(reasons), reasons: isAccepted ? reasons : [] }).toEqual({
      isAccepted,
      reasons: reasons.filter((reason) => reason.isWarning && isAccepted),
    });
    for (const problem of place(reasons, document)) expect(problem.line).toBeGreaterThan(0);
  });
});
