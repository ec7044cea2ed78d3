import { describe, expect, it } from 'vitest';
import { anyUnpack } from '@bufbuild/protobuf/wkt';
import { readConfig } from '../../../src/config/document.ts';
import { isRefused, parseBootstrap, parseMessage } from '../../../src/config/parse.ts';
import { place } from '../../../src/config/place.ts';
import { RouteConfigurationSchema } from '../../../src/proto/envoy/config/route/v3/route_pb.js';
import { HttpProtocolOptionsSchema } from '../../../src/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js';
import { verdicts } from './verdicts.ts';

describe("Envoy's verdicts", () => {
  it.each(verdicts)('$name', ({ text, extension, isAccepted }) => {
    const document = readConfig({ path: `bootstrap.${extension}`, text });
    const { reasons } = parseBootstrap(document);
    const errors = reasons.filter((reason) => !reason.isWarning);
    if (isAccepted) expect(errors).toEqual([]);
    expect(isRefused(reasons)).toBe(!isAccepted);
    const lines = text.split('\n').length;
    for (const problem of place(reasons, document)) expect(problem.line).toBeLessThanOrEqual(lines);
  });
});

describe('parseBootstrap', () => {
  it('says everything that is wrong in one run', () => {
    const text = `
node: {id: on}
static_resources:
  clusters:
  - name: a
    conect_timeout: 1s
    lb_policy: RANDUM
  - name: a
    connect_timeout: 100ms
    load_assignment: {cluster_name: a, endpoints: [{priority: 129}]}
`;
    const document = readConfig({ path: 'envoy.yaml', text });
    const problems = place(parseBootstrap(document).reasons, document);
    expect(problems.map(({ line, column, path, suggestion }) => ({ line, column, path, suggestion }))).toEqual([
      { line: 2, column: 12, path: 'node.id', suggestion: undefined },
      { line: 6, column: 5, path: 'static_resources.clusters[0].conect_timeout', suggestion: 'connect_timeout' },
      { line: 7, column: 16, path: 'static_resources.clusters[0].lb_policy', suggestion: 'RANDOM' },
      { line: 8, column: 11, path: 'static_resources.clusters[1].name', suggestion: undefined },
      { line: 9, column: 22, path: 'static_resources.clusters[1].connect_timeout', suggestion: '0.1s' },
      {
        line: 10,
        column: 63,
        path: 'static_resources.clusters[1].load_assignment.endpoints[0].priority',
        suggestion: undefined,
      },
    ]);
  });

  it('reads what a text says into the message', () => {
    const text = `
static_resources:
  clusters:
  - name: a
    connect_timeout: 1.25s
    per_connection_buffer_limit_bytes: '4096'
    metadata: {filter_metadata: {x: {whole: 5, large: 5000000000, fraction: 1.5, list: [on, "on"]}}}
    typed_extension_protocol_options:
      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
        '@type': type.googleapis.com/udpa.type.v1.TypedStruct
        type_url: type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
        value: {explicitHttpConfig: {http_protocol_options: {accept_http_10: true}}}
`;
    const { message, reasons } = parseBootstrap(readConfig({ text }));
    expect(reasons).toEqual([]);
    const cluster = message.staticResources!.clusters[0];
    expect(cluster.connectTimeout).toMatchObject({ seconds: 1n, nanos: 250_000_000 });
    expect(cluster.perConnectionBufferLimitBytes).toBe(4096);
    // Envoy keeps what is no number of 32 bits as text.
    expect(cluster.metadata!.filterMetadata['x']).toEqual({
      whole: 5,
      large: '5000000000',
      fraction: '1.5',
      list: [true, 'on'],
    });
    const packed = Object.values(cluster.typedExtensionProtocolOptions)[0];
    const options = anyUnpack(packed, HttpProtocolOptionsSchema)!;
    expect(options.upstreamProtocolOptions.case).toBe('explicitHttpConfig');
  });

  it('makes warnings of unknown fields where they are allowed', () => {
    const document = readConfig({ text: 'nod: {}\nstatic_resources: {clusters: [{name: a, lb_policy: NEW}]}' });
    const { message, reasons } = parseBootstrap(document, { allowUnknown: true });
    expect(reasons.map(({ path, isWarning }) => [path, isWarning])).toEqual([
      ['nod', true],
      ['static_resources.clusters[0].lb_policy', true],
    ]);
    expect(isRefused(reasons)).toBe(false);
    expect(message.staticResources!.clusters[0].name).toBe('a');
  });

  it('warns of deprecated fields', () => {
    const { reasons } = parseBootstrap(readConfig({ text: 'admin: {access_log_path: /dev/null}' }));
    expect(reasons).toEqual([expect.objectContaining({ path: 'admin.access_log_path', isWarning: true })]);
  });

  it('does not miss what only could not be read', () => {
    const text = "static_resources: {clusters: [{name: 5}], listeners: [{name: l, adress: {pipe: {path: ''}}}]}";
    const paths = parseBootstrap(readConfig({ text })).reasons.map((reason) => reason.path);
    expect(paths).toContain('static_resources.clusters[0].name');
    expect(paths.filter((path) => path === 'static_resources.clusters[0].name')).toHaveLength(1);
  });

  it('bounds what aliases make of a small text', () => {
    const lines = ['a0: &a0 {x: 1}'];
    for (let i = 1; i <= 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`);
    const text = `node: {metadata: {${lines.join(', ')}}}`;
    const { reasons } = parseBootstrap(readConfig({ text }));
    expect(reasons.map((reason) => reason.message)).toEqual([expect.stringMatching(/more than \d+ values/)]);
  });
});

describe('the override', () => {
  it('is merged as messages are: scalars replaced, lists appended, maps by key', () => {
    const document = readConfig({
      path: 'envoy.yaml',
      text: 'node: {id: a, cluster: b, metadata: {x: 1}}\nstatic_resources: {clusters: [{name: c}]}',
      overrideYaml: 'node: {id: z, metadata: {y: 2}}\nstaticResources: {clusters: [{name: d}]}',
    });
    const { message, reasons } = parseBootstrap(document);
    expect(reasons).toEqual([]);
    expect(message.node).toMatchObject({ id: 'z', cluster: 'b' });
    expect(message.staticResources!.clusters.map((cluster) => cluster.name)).toEqual(['c', 'd']);
    expect(message.node!.metadata).toEqual({ x: 1, y: 2 });
  });

  it('has its own problems', () => {
    const document = readConfig({
      path: 'envoy.yaml',
      text: 'static_resources: {clusters: [{name: c}]}',
      overrideYaml: 'static_resources:\n  clusters:\n  - name: c\n  - name: d\n    foo: 1',
    });
    const problems = place(parseBootstrap(document).reasons, document);
    expect(problems.map(({ file, line, path }) => [file, line, path])).toEqual([
      ['--config-yaml', 3, 'static_resources.clusters[1].name'],
      ['--config-yaml', 5, 'static_resources.clusters[2].foo'],
    ]);
  });

  it('that cannot be read is said of itself', () => {
    const document = readConfig({ path: 'envoy.yaml', text: '{}', overrideYaml: 'a: [' });
    const [problem] = place(parseBootstrap(document).reasons, document);
    expect(problem.file).toBe('--config-yaml');
  });
});

describe('parseMessage', () => {
  it('reads any message and checks its rules', () => {
    const document = readConfig({ text: '{"name": "r", "virtual_hosts": [{"name": "", "domains": ["*"]}]}' });
    const { message, reasons } = parseMessage(document, RouteConfigurationSchema);
    expect(message.name).toBe('r');
    expect(reasons.map((reason) => reason.path)).toEqual(['virtual_hosts[0].name']);
  });
});
