/**
 * Writes docs/compatibility.md from the code itself, so that the page cannot promise what the decoders refuse.
 *
 *     npm run docs
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endpoints } from '../src/admin/endpoints.ts';
import { FlagGroup, flags, type Flag } from '../src/cli/flags.ts';
import { ExtensionTable } from '../src/control/extension-table.ts';
import { isAboutSupport } from '../src/core/rejection.ts';
import { extensionEntries } from '../src/extensions.ts';
import { commandNames } from '../src/observe/format/commands.ts';
import { retryOnTokens } from '../src/route/retry-on.ts';
import { declarations, type Declaration } from './declarations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
export const pagePath = join(root, 'docs/compatibility.md');

const code = (names: Iterable<string>): string => [...names].map((name) => `\`${name}\``).join(', ') || 'none';

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''];
}

/** A message's fields in three lists; those of `oneof`s and deprecated ones are fields like any other. */
function describe({ message }: Declaration): string[] {
  const names = message.schema.fields.map(({ name }) => name);
  const lists: readonly (readonly [string, readonly string[]])[] = [
    ['supported', names.filter((name) => message.fields.has(name))],
    ['accepted without effect', names.filter((name) => message.ignored.has(name))],
    // Throws of a declaration that names what the message does not have.
    ['refused by name', message.refusedFields().map(({ name }) => name)],
  ];
  const lines = lists.filter(([, list]) => list.length > 0).map(([what, list]) => `- ${what}: ${code(list)}`);
  return lines.length === 0 ? ['- has no fields'] : lines;
}

function messagesSection(all: readonly Declaration[]): string[] {
  const byType = Map.groupBy(all, ({ message }) => message.schema.typeName);
  const lines: string[] = [];
  let area = '';
  for (const [typeName, found] of [...byType].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const [, packageName, name] = /^([a-z\d_.]+)\.(.*)$/.exec(typeName)!;
    if (packageName !== area) lines.push(`### ${packageName}`, '');
    area = packageName!;
    lines.push(`#### ${name}`, '');
    // One message may mean more in one place than in another: per room then.
    const distinct = Map.groupBy(found, (one) => describe(one).join('\n'));
    for (const [text, same] of distinct) {
      const rooms = new Set(same.map(({ file }) => file.split('/')[1]!));
      if (distinct.size > 1) lines.push(`In ${code(rooms)}:`, '');
      lines.push(text, '');
    }
  }
  return lines;
}

/** Istio's own messages, which Envoy has not. */
const istio = /^(?:istio|io\.istio|stats|envoy\.tcp)\./;

/** Message types that a decoder opens: the table of extensions, and what decoders compare `@type` with themselves. */
function extensionKinds(all: readonly Declaration[]): Map<string, string[]> {
  // What has no such name is of the process's own making.
  const kinds = new Set(
    extensionEntries.map(({ kind }) => kind).filter((kind) => kind.startsWith('envoy.extensions.') || istio.test(kind)),
  );
  const own = globSync('src/**/*decode*.ts', { cwd: root, exclude: (name) => name === 'proto' });
  own.push(...globSync('src/**/decode/*.ts', { cwd: root, exclude: (name) => name === 'proto' }));
  for (const file of own) {
    const text = readFileSync(join(root, file), 'utf8');
    for (const [, kind] of text.matchAll(/'(envoy\.extensions\.[\w.]+\.v3\.\w+)'/g)) kinds.add(kind);
    for (const [, name] of text.matchAll(/(\w+)Schema\.typeName/g)) {
      const schema = all.map(({ message }) => message.schema).find((one) => one.name === name);
      if (schema?.typeName.startsWith('envoy.extensions.')) kinds.add(schema.typeName);
    }
  }
  return Map.groupBy(
    [...kinds].toSorted(),
    (kind) => /^envoy\.extensions\.(.*)\.[^.]+\.v3\./.exec(kind)?.[1] ?? 'Istio',
  );
}

function extensionsSection(all: readonly Declaration[]): string[] {
  const rows = [...extensionKinds(all)].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return table(
    ['`envoy.extensions.`…', 'message types'],
    rows.map(([area, kinds]) => [
      `\`${area}\``,
      code(kinds.map((kind) => (area === 'Istio' ? kind : kind.slice(kind.indexOf(area) + area.length + 1)))),
    ]),
  );
}

interface Choice {
  readonly field: string;
  readonly values: readonly string[];
  /** A configuration that says `value`. */
  readonly yaml: (value: string) => string;
}

const cluster = (fields: string): string =>
  `{node: {id: me, cluster: me}, static_resources: {clusters: [{name: c, ${fields}}]}}`;
const hcmType = 'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const routerType = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';

/** Enumerations of which only some values are supported. Which ones is asked of the decoders. */
const choices: readonly Choice[] = [
  {
    field: 'Cluster.type',
    values: ['STATIC', 'STRICT_DNS', 'LOGICAL_DNS', 'EDS', 'ORIGINAL_DST'],
    yaml: (value) =>
      cluster(
        value === 'ORIGINAL_DST'
          ? `type: ${value}, lb_policy: CLUSTER_PROVIDED`
          : value === 'EDS'
            ? `type: ${value}, eds_cluster_config: {eds_config: {path_config_source: {path: /}}}`
            : `type: ${value}, load_assignment: {cluster_name: c, endpoints: [{lb_endpoints: [{endpoint: ` +
              `{address: {socket_address: {address: 127.0.0.1, port_value: 1}}}}]}]}`,
      ),
  },
  {
    field: 'Cluster.dns_lookup_family',
    values: ['AUTO', 'V4_ONLY', 'V6_ONLY', 'V4_PREFERRED', 'ALL'],
    yaml: (value) => cluster(`dns_lookup_family: ${value}`),
  },
  {
    field: 'HttpConnectionManager.codec_type',
    values: ['AUTO', 'HTTP1', 'HTTP2', 'HTTP3'],
    yaml: (value) =>
      `static_resources: {listeners: [{address: {socket_address: {address: 127.0.0.1, port_value: 0}}, filter_chains: ` +
      `[{filters: [{name: h, typed_config: {"@type": ${hcmType}, stat_prefix: h, codec_type: ${value}, route_config: {}, ` +
      `http_filters: [{name: r, typed_config: {"@type": ${routerType}}}]}}]}]}]}`,
  },
];

async function choicesSection(): Promise<string[]> {
  // Not at the top: it draws in the decoders, whose declarations `collect` is to see appear.
  const { loadConfiguration } = await import('../src/control/configuration.ts');
  const extensions = new ExtensionTable(extensionEntries);
  const rows: string[][] = [];
  for (const { field, values, yaml } of choices) {
    const refused: string[] = [];
    for (const value of values) {
      const overrides = { serviceNode: '', serviceCluster: '', serviceZone: '', hasLogFormat: false, statsTags: [] };
      const source = { overrideYaml: yaml(value), allowUnknown: false, ...overrides };
      const configuration = await loadConfiguration(source, extensions);
      if (!configuration.isRefused) continue;
      const other = configuration.problems.find((problem) => !isAboutSupport(problem));
      if (other !== undefined) throw new Error(`${field} ${value}: ${other.message}`);
      refused.push(value);
    }
    rows.push([`\`${field}\``, code(values.filter((value) => !refused.includes(value))), code(refused)]);
  }
  return table(['field', 'supported', 'refused by name'], rows);
}

function flagsSection(): string[] {
  const name = (flag: Flag): string => `\`${flag.short === undefined ? '' : `-${flag.short}, `}--${flag.name}\``;
  return Object.values(FlagGroup).flatMap((group) => [
    `**${group.replace(/:$/, '')}**`,
    '',
    ...table(
      ['flag', ''],
      flags.filter((flag) => flag.group === group).map((flag) => [name(flag), flag.help]),
    ),
  ]);
}

function adminSection(): string[] {
  return table(
    ['path', 'method', '', 'parameters'],
    endpoints.map(({ path, isMutating, help, parameters }) => [
      `\`${path}\``,
      isMutating ? 'POST' : 'GET',
      help,
      parameters.map(({ name }) => `\`${name}\``).join(', '),
    ]),
  );
}

function operatorsSection(): string[] {
  const empty: string[] = [];
  return [
    code(commandNames.filter((name) => !empty.includes(name)).toSorted()),
    '',
    `Known, and empty as long as there is no tracing: ${code(empty)}`,
    '',
  ];
}

const introduction = `# What of Envoy's configuration is supported

<!-- Generated by tools/compatibility.ts from the decoders; \`npm run docs\` writes it again, a test keeps it fresh. -->

Every message, field, extension and flag below is read from the code. The rule behind the page: **no field is accepted and ignored**. A field or extension that Envoy 1.39 has and sekisho does not act on is refused by its name, with file, line and column; \`sekisho check FILE\` shows all of them at once. "Accepted without effect" is only what has no effect on traffic: hints to Envoy's own threads and allocators, and fields that Envoy itself ignores in that place.

Unknown fields, values against the protos' own rules (\`validate.rules\`) and wrong references are refused as Envoy refuses them. What behaves differently on purpose is in [differences.md](differences.md); which of the fields are compared with a real Envoy, in [compared.md](compared.md).
`;

export async function compatibilityPage(): Promise<string> {
  const all = await declarations();
  return [
    introduction,
    '## Extensions',
    '',
    'Every other extension is refused by name.',
    '',
    ...extensionsSection(all),
    '## Values of enumerations',
    '',
    'Where only some values of a field are supported:',
    '',
    ...(await choicesSection()),
    '## Conditions of `retry_on`',
    '',
    code(retryOnTokens),
    '',
    '## Command operators',
    '',
    'In access logs, header mutations, local replies and direct responses:',
    '',
    ...operatorsSection(),
    '## Admin pages',
    '',
    ...adminSection(),
    '## Command line',
    '',
    ...flagsSection(),
    '## Messages',
    '',
    ...messagesSection(all),
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(pagePath, await compatibilityPage());
