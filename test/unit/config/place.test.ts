import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/config/document.ts';
import { place } from '../../../src/config/place.ts';

const text = `staticResources:
  listeners:
  - name: l
    filter_chains: &chains
      filters:
      - typed_config:
          "@type": type.googleapis.com/xds.type.v3.TypedStruct
          type_url: type.googleapis.com/a.B
          value:
            some_field: {x: "y"}
  - name: m
    filter_chains: *chains
metadata:
  "a.b]c":
    d: 1
  empty:
`;
const document = readConfig({ path: 'envoy.yaml', text });

function at(path: string, isAboutName = false): string {
  const [problem] = place([{ path, message: 'wrong', isAboutName } as never], document);
  const line = text.split('\n')[problem.line - 1];
  return `${problem.line}: ${line.slice(problem.column - 1, problem.column - 1 + problem.length)}`;
}

describe('place', () => {
  it.each([
    ['', '1: s'],
    ['static_resources', '1: staticResources'],
    ['static_resources.listeners[0].name', '3: l'],
    ['static_resources.listeners[1]', '11: n'],
    // A single message may stand for a list of one.
    ['static_resources.listeners[0].filter_chains[0].filters[0].typed_config', '6: typed_config'],
    // The level that a TypedStruct adds is not in the path.
    ['static_resources.listeners[0].filter_chains[0].filters[0].typed_config.some_field.x', '10: "y"'],
    ['static_resources.listeners[1].filter_chains[0].filters[0].typed_config.@type', '7: type.googleapis.com/xds'],
    ['metadata[a.b]c].d', '15: 1'],
    ['metadata[empty]', '16: empty'],
    // What is missing is shown where it should be.
    ['static_resources.clusters[0].name', '1: staticResources'],
    ['static_resources.listeners[0].address.socket_address', '3: n'],
  ])('%s', (path, shown) => {
    expect(at(path)).toMatch(shown);
  });

  it('shows the name when it is what is wrong', () => {
    expect(at('static_resources.listeners[0].name', true)).toBe('3: name');
  });

  it('sorts by the text', () => {
    const reasons = ['metadata[a.b]c].d', 'static_resources'].map((path) => ({ path, message: 'wrong' }));
    expect(place(reasons, document).map((problem) => problem.line)).toEqual([1, 15]);
  });
});
