import { describe, expect, it } from 'vitest';
import { fromBinary, toBinary, toJson } from '@bufbuild/protobuf';
import { depthMax, type ConfigValue } from '../../src/config/config-value.ts';
import { readConfig } from '../../src/config/document.ts';
import { formatProblem } from '../../src/config/format-problem.ts';
import { isRefused, parseBootstrap, parseMessage } from '../../src/config/parse.ts';
import { place } from '../../src/config/place.ts';
import { BootstrapSchema } from '../../src/proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { RouteConfigurationSchema } from '../../src/proto/envoy/config/route/v3/route_pb.js';
import * as fc from './chance.ts';

/** Names that lead into the schema, so that random trees get somewhere, and some that do not. */
const names =
  'static_resources staticResources clusters listeners name connect_timeout lb_policy node id metadata filter_chains filters typed_config @type type_url value address pipe path load_assignment endpoints lb_endpoints typed_extension_protocol_options admin __proto__ foo'.split(
    ' ',
  );

const types = ['x/envoy.config.core.v3.Node', 'x/xds.type.v3.TypedStruct', 'x/google.protobuf.Struct', 'x/a.B'];

const { tree } = fc.letrec<{ tree: ConfigValue }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom<ConfigValue>(null, true, 0, -1, 1.5, '', '1s', '100ms', 'ROUND_ROBIN', 'text', ...types),
    fc.string(),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie('tree'), { maxKeys: 6 }),
  ),
}));

function expectSound(text: string, path: string): void {
  const document = readConfig({ path, text });
  const { reasons } = parseBootstrap(document);
  const lines = text.split('\n');
  for (const problem of place(reasons, document)) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.line).toBeLessThanOrEqual(lines.length);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.column).toBeLessThanOrEqual(Math.max(lines[problem.line - 1].length, 1) + 1);
    expect(formatProblem(problem, document, { hasColor: false })).toContain(problem.message);
  }
}

describe('any text', () => {
  it('is read or refused, and what is wrong with it is in it', () => {
    fc.assert(fc.property(fc.string({ size: 'medium' }), (text) => expectSound(text, 'a.yaml')));
    fc.assert(fc.property(fc.string({ size: 'medium' }), (text) => expectSound(text, 'a.json')));
  });

  it('of YAML pieces is read or refused', () => {
    const pieces = [
      'a',
      ': ',
      '\n',
      '  ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ',',
      '&x ',
      '*x',
      '"',
      "'",
      '|\n',
      '!ignore ',
      '---\n',
      '#',
    ];
    const text = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(''));
    fc.assert(fc.property(text, (one) => expectSound(one, 'a.yaml')));
  });
});

describe('any tree', () => {
  it('is read or refused, as JSON and as YAML', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expectSound(JSON.stringify(value, null, 1), 'a.json');
        expectSound(JSON.stringify(value, null, 2), 'a.yaml');
      }),
    );
  });

  it('as text means the same in JSON and in YAML, when its scalars are text', () => {
    const texts = fc.letrec<{ tree: ConfigValue }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie('tree'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(fc.dictionary(fc.string(), texts.tree), (value) => {
        const text = JSON.stringify(value);
        expect(readConfig({ path: 'a.yaml', text }).value).toEqual(readConfig({ path: 'a.json', text }).value);
      }),
    );
  });

  it('is bounded in depth, not in the stack', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3 * depthMax }), (depth) => {
        const text = `{"node": {"metadata": ${'{"a": '.repeat(depth)}1${'}'.repeat(depth)}}}`;
        const { reasons } = parseBootstrap(readConfig({ path: 'a.json', text }));
        expect(isRefused(reasons)).toBe(depth + 2 > depthMax);
      }),
      { numRuns: 20 },
    );
  });
});

describe('what is accepted', () => {
  const host = fc.record({
    name: fc.constantFrom('a', 'b'),
    domains: fc.uniqueArray(fc.domain(), { minLength: 1, maxLength: 3 }),
    include_request_attempt_count: fc.boolean(),
  });
  const routes = fc.record({
    name: fc.string(),
    virtual_hosts: fc.array(host, { maxLength: 3 }),
    max_direct_response_body_size_bytes: fc.nat(),
  });

  it('survives the wire and comes back as it was written', () => {
    fc.assert(
      fc.property(routes, (value) => {
        const { message, reasons } = parseMessage(
          readConfig({ text: JSON.stringify(value) }),
          RouteConfigurationSchema,
        );
        expect(reasons).toEqual([]);
        const copy = fromBinary(RouteConfigurationSchema, toBinary(RouteConfigurationSchema, message));
        expect(copy).toEqual(message);
        const json = toJson(RouteConfigurationSchema, message);
        const again = parseMessage(readConfig({ text: JSON.stringify(json) }), RouteConfigurationSchema);
        expect(again.message).toEqual(message);
      }),
    );
  });

  it('is an empty bootstrap when nothing is said', () => {
    expect(parseBootstrap(readConfig({ text: '{}' })).message.$typeName).toBe(BootstrapSchema.typeName);
  });
});
