/**
 * Writes docs/compared.md: which fields of Envoy's messages the peers' table sets, in configurations that a real Envoy
 * and sekisho serve side by side.
 *
 *     npm run docs
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fromBinary, isFieldSet, type DescField, type DescMessage, type Message } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { readConfig } from '../src/config/document.ts';
import { messageType, typeNameIn } from '../src/config/message-types.ts';
import { parseMessage } from '../src/config/parse.ts';
import { supportedMessages } from '../src/core/supported-fields.ts';
import { BootstrapSchema } from '../src/proto/envoy/config/bootstrap/v3/bootstrap_pb.js';
import { SecretSchema } from '../src/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js';
import { DiscoveryResponseSchema } from '../src/proto/envoy/service/discovery/v3/discovery_pb.js';
import { groups } from '../test/peers/all-rows.ts';
import type { Group } from '../test/peers/row.ts';
import { declarations } from './declarations.ts';

export const comparedPath = fileURLToPath(new URL('../docs/compared.md', import.meta.url));

/** Message name → proto names of fields that a row sets. */
type Fields = Map<string, Set<string>>;

/** Ports and names that only a running comparison has. */
function filled(text: string): string {
  return text.replaceAll(/(port\w*["']?: *)["']?\{\{\w+\}\}["']?/g, '$11').replaceAll(/\{\{\w+\}\}/g, 'x');
}

function noteText(text: string, name: string, schema: DescMessage, fields: Fields): void {
  const document = readConfig({ path: name, text: filled(text) });
  if (document.reasons.length > 0) throw new Error(`${name}: ${document.reasons[0].message}`);
  // Rules may be broken by what stands for certificates; what is set is set.
  const { message } = parseMessage(document, schema);
  note(schema, message, fields);
}

function noteGroup(group: Group, fields: Fields): void {
  noteText(group.config, `${group.name}.yaml`, BootstrapSchema, fields);
  for (const [name, text] of Object.entries(group.files ?? {}))
    if (/\.ya?ml$/.test(name)) noteText(text, name, DiscoveryResponseSchema, fields);
  for (const secrets of [group.secrets, ...group.rows.map((row) => row.secrets)])
    for (const [name, text] of Object.entries(secrets ?? {})) noteText(text, `${name}.yaml`, SecretSchema, fields);
}

/** Every field that is set, of a message and of all inside it. */
function note(schema: DescMessage, message: Message, fields: Fields): void {
  const own = fields.get(schema.typeName) ?? new Set();
  fields.set(schema.typeName, own);
  for (const field of schema.fields) {
    if (!isFieldSet(message, field)) continue;
    own.add(field.name);
    const inner = innerType(field);
    if (inner !== null) for (const value of valuesOf(message, field)) noteInner(inner, value, fields);
  }
}

function innerType(field: DescField): DescMessage | null {
  return field.fieldKind === 'message' || field.message !== undefined ? (field.message ?? null) : null;
}

function valuesOf(message: Message, { localName, oneof, fieldKind }: DescField): readonly unknown[] {
  const own = message as unknown as Record<string, unknown>;
  const value = oneof === undefined ? own[localName] : (own[oneof.localName] as { value?: unknown }).value;
  if (fieldKind === 'list') return value as readonly unknown[];
  return fieldKind === 'map' ? Object.values(value as object) : [value];
}

function noteInner(schema: DescMessage, value: unknown, fields: Fields): void {
  // Wrappers are plain values here, and so are structs.
  if (typeof value !== 'object' || value === null || !('$typeName' in value)) return;
  if (schema.typeName !== 'google.protobuf.Any') {
    note(schema, value as Message, fields);
    return;
  }
  const { typeUrl, value: bytes } = value as Any;
  const packed = messageType(typeNameIn(typeUrl));
  if (packed !== undefined) note(packed, fromBinary(packed, bytes), fields);
}

/** A message's fields by what is known of them. */
interface Standing {
  readonly compared: readonly string[];
  readonly supported: readonly string[];
  readonly ignored: readonly string[];
  readonly refused: readonly string[];
}

async function standings(): Promise<Map<string, Standing>> {
  const fields: Fields = new Map();
  for (const group of groups) noteGroup(group, fields);
  await declarations();
  const byType = Map.groupBy(supportedMessages, ({ schema }) => schema.typeName);
  const types = [...byType].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return new Map(
    types.map(([typeName, found]) => {
      const set = fields.get(typeName) ?? new Set();
      const names = found[0].schema.fields.map(({ name }) => name);
      const isSupported = (name: string): boolean => found.some(({ fields: own }) => own.has(name));
      const isIgnored = (name: string): boolean => found.some(({ ignored }) => ignored.has(name));
      const supported = names.filter(isSupported);
      const others = names.filter((name) => !isSupported(name));
      const standing: Standing = {
        compared: supported.filter((name) => set.has(name)),
        supported: supported.filter((name) => !set.has(name)),
        ignored: others.filter(isIgnored),
        refused: others.filter((name) => !isIgnored(name)),
      };
      return [typeName, standing] as const;
    }),
  );
}

const lists = [
  ['compared', 'compared'],
  ['supported', 'supported, not compared'],
  ['ignored', 'accepted without effect'],
  ['refused', 'refused by name'],
] as const;

function totals(all: Iterable<Standing>): string[] {
  const every = [...all];
  const count = (name: keyof Standing): number => every.reduce((sum, standing) => sum + standing[name].length, 0);
  return [
    `| messages | ${lists.map(([, title]) => title).join(' | ')} |`,
    `| ${['', ...lists].map(() => '---').join(' | ')} |`,
    `| ${[every.length, ...lists.map(([name]) => count(name))].join(' | ')} |`,
    '',
  ];
}

const introduction = `# What is compared with Envoy

<!-- Generated by tools/compared.ts from the peers' table; \`npm run docs\` writes it again, a test keeps it fresh. -->

[The peers' table](../test/peers/README.md) sends the same requests through a real Envoy and through sekisho, and lays side by side all that can be seen of both. A field is **compared** where a configuration of that table sets it; it is **supported, not compared** where only tests of sekisho's own do; the rest is refused by name or, where Envoy itself does nothing with it, accepted without effect. Messages that no decoder reads are not here: whoever names one is told so.
`;

export async function comparedPage(): Promise<string> {
  const all = await standings();
  const lines = [introduction, ...totals(all.values())];
  let area = '';
  for (const [typeName, standing] of all) {
    const [, packageName, name] = /^([a-z\d_.]+)\.(.*)$/.exec(typeName)!;
    if (packageName !== area) lines.push(`## ${packageName}`, '');
    area = packageName;
    lines.push(`### ${name}`, '');
    const said = lists.filter(([list]) => standing[list].length > 0);
    for (const [list, title] of said)
      lines.push(`- ${title}: ${standing[list].map((field) => `\`${field}\``).join(', ')}`);
    lines.push(...(said.length === 0 ? ['- has no fields', ''] : ['']));
  }
  return lines.join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const page = await comparedPage();
  writeFileSync(comparedPath, page);
  process.stdout.write(`${page.match(/^\|.*\|$/gm)!.join('\n')}\n`);
}
