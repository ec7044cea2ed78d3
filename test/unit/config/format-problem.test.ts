import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { formatProblem, problemToJson } from '../../../src/config/format-problem.ts';
import { parseBootstrap } from '../../../src/config/parse.ts';
import { place } from '../../../src/config/place.ts';

const text = 'static_resources:\n  clusters:\n  - name: a\n    connect_timeout:\t100ms # slow\n';
const document = readConfig({ path: 'envoy.yaml', text });
const [problem] = place(parseBootstrap(document).reasons, document);

describe('formatProblem', () => {
  it('shows the place, the line and what was probably meant', () => {
    expect(formatProblem(problem, document, { hasColor: false })).toBe(
      [
        'envoy.yaml:4:22: error: must be a duration: seconds with up to nine decimals and an s, as 0.25s, found "100ms"',
        '  at static_resources.clusters[0].connect_timeout',
        '    4 |     connect_timeout:\t100ms # slow',
        '      |                     \t^^^^^',
        '  did you mean 0.1s?',
      ].join('\n'),
    );
  });

  it('has colours where they are wanted', () => {
    expect(formatProblem(problem, document, { hasColor: true })).toContain('\u001b[31merror\u001b[39m');
  });

  it('shows nothing of a file that could not be read', () => {
    const missing = readConfig({ path: '/does/not/exist.yaml' });
    const [reason] = place(missing.reasons, missing);
    expect(formatProblem(reason, missing, { hasColor: false })).toBe(
      '/does/not/exist.yaml:1:1: error: cannot read the file: it does not exist',
    );
  });
});

describe('problemToJson', () => {
  it('has what machines need', () => {
    expect(problemToJson(problem)).toEqual({
      file: 'envoy.yaml',
      line: 4,
      column: 22,
      severity: 'error',
      path: 'static_resources.clusters[0].connect_timeout',
      message: expect.stringContaining('must be a duration') as string,
      found: '"100ms"',
      allowed: expect.stringContaining('must be a duration') as string,
      suggestion: '0.1s',
    });
  });
});
