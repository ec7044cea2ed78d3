/**
 * Writes `src/proto/**` from the file descriptors of the Go modules in `go.mod` (Envoy's API at the version named
 * there), with `protoc-gen-es`. Needs Go, for its module cache only. Run: `node tools/proto/generate.ts`.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { clearField, clone, create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import * as wkt from '@bufbuild/protobuf/wkt';
import type { DescFile } from '@bufbuild/protobuf';
import {
  CodeGeneratorRequestSchema,
  CodeGeneratorResponseSchema,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  type DescriptorProto,
  type FileDescriptorProto,
} from '@bufbuild/protobuf/wkt';
import { rolldown } from 'rolldown';
import { readDescriptors } from './descriptors.ts';
import { readWrittenFiles } from './proto-source.ts';
import { strip } from './strip.ts';

const here = import.meta.dirname;
const root = join(here, '../..');
/** Messages that no Go module has. */
const written = join(here, 'written');
const output = join(root, 'src/proto');
/** Written first, so that a failure leaves the old output. */
const draft = join(root, 'node_modules/.proto-draft');
/** Written by hand, copied beside what is generated. */
const runtimeFiles = ['descriptor.js', 'embedded.d.ts', 'embedded.js', 'protobuf.d.ts', 'records.js', 'types.js'];
/** What `protobuf.js` is made of. */
const librarySources = ['library-entry.js', 'wkt.js'];

/** Packages whose files are generated; what they refer to follows. */
const wanted =
  /^(envoy\.(admin|config|data|extensions|service|type|watchdog)(\..*)?\.v3(alpha)?|envoy\.annotations|xds\..*|validate)$/;
/** Of google.protobuf, what descriptors and configurations may name. */
const usedWellKnown = new Set(
  [
    'any',
    'api',
    'descriptor',
    'duration',
    'empty',
    'field_mask',
    'source_context',
    'struct',
    'timestamp',
    'type',
    'wrappers',
  ].map((name) => `google/protobuf/${name}.proto`),
);
const wantedFiles = new Set(['udpa/type/v1/typed_struct.proto', 'udpa/annotations/sensitive.proto']);
/** Annotations that `strip` drops, and packages that only Go's build has. */
const unwanted = /^(xds\.annotations\.|envoy\/annotations\/resource\.proto$)/;

if (process.argv.includes('--check')) check();
else await generate();

async function generate(): Promise<void> {
  const byHand = readWrittenFiles(written);
  const all = new Map([...readDescriptors(join(here, 'go.mod')), ...byHand]);
  for (const file of all.values()) strip(file);
  const wellKnown = wellKnownFiles();
  const known = new Map([...all, ...wellKnown]);
  const owner = typeOwners(known.values());
  for (const file of all.values()) relink(file, owner);

  const files = ordered(
    [...all.values()].filter((file) => byHand.has(file.name) || isWanted(file)),
    known,
  );
  const generated = files.filter((file) => !wellKnown.has(file.name));
  const modules = runPlugin(files, generated);

  rmSync(draft, { recursive: true, force: true });
  for (const [name, content] of modules) write(name, slim(name, content));
  // Those that protobuf-es has code for, too, so that descriptors are all of one kind.
  const described = [...[...wellKnown.values()].filter((file) => usedWellKnown.has(file.name)), ...generated];
  for (const file of wellKnown.values()) strip(file);
  const descriptors = described.map((file) => embedded(file));
  write('descriptors.bin', Buffer.concat(descriptors));
  write(
    'table.js',
    descriptorTable(
      described,
      descriptors.map((bytes) => bytes.length),
    ),
  );
  write('protobuf.js', await library());
  write('table.d.ts', 'export declare const table: string;\n');
  for (const name of runtimeFiles) write(name, readFileSync(join(here, 'runtime', name), 'utf8'));
  write('README.md', readme(draft));
  rmSync(output, { recursive: true, force: true });
  renameSync(draft, output);
}

function isWanted(file: FileDescriptorProto): boolean {
  if (unwanted.test(`${file.package}.`) || unwanted.test(file.name)) return false;
  return wanted.test(file.package) || wantedFiles.has(file.name);
}

/** google.protobuf.*: their code is `@bufbuild/protobuf/wkt`. */
function wellKnownFiles(): Map<string, FileDescriptorProto> {
  const files = new Map<string, FileDescriptorProto>();
  for (const [name, value] of Object.entries(wkt)) {
    if (!name.startsWith('file_google_protobuf_')) continue;
    const { proto } = value as DescFile;
    files.set(proto.name, clone(FileDescriptorProtoSchema, proto));
  }
  return files;
}

/** `.package.Type` → the file that declares it. */
function typeOwners(files: Iterable<FileDescriptorProto>): Map<string, string> {
  const owner = new Map<string, string>();
  for (const file of files) {
    const add = (scope: string, message: DescriptorProto): void => {
      const name = `${scope}.${message.name}`;
      owner.set(name, file.name);
      for (const type of message.enumType) owner.set(`${name}.${type.name}`, file.name);
      for (const nested of message.nestedType) add(name, nested);
    };
    const scope = file.package === '' ? '' : `.${file.package}`;
    for (const message of file.messageType) add(scope, message);
    for (const type of file.enumType) owner.set(`${scope}.${type.name}`, file.name);
  }
  return owner;
}

/** Imports exactly what is referred to: an import costs a module load at start-up. */
function relink(file: FileDescriptorProto, owner: Map<string, string>): void {
  const needed = new Set<string>();
  const refer = (type: string): void => {
    const from = owner.get(type);
    if (from === undefined) throw new Error(`${file.name} refers to ${type}, which no module declares`);
    if (from !== file.name) needed.add(from);
  };
  const visit = (message: DescriptorProto): void => {
    for (const field of [...message.field, ...message.extension]) {
      if (field.typeName !== '') refer(field.typeName);
      if (field.extendee !== '') refer(field.extendee);
    }
    for (const nested of message.nestedType) visit(nested);
  };
  for (const message of file.messageType) visit(message);
  for (const field of file.extension) {
    if (field.typeName !== '') refer(field.typeName);
    refer(field.extendee);
  }
  for (const service of file.service) {
    for (const method of service.method) {
      refer(method.inputType);
      refer(method.outputType);
    }
  }
  file.dependency = [...needed].sort();
  file.publicDependency = [];
  file.weakDependency = [];
}

/** The files and everything they import, imported files first. */
function ordered(files: FileDescriptorProto[], known: Map<string, FileDescriptorProto>): FileDescriptorProto[] {
  const result = new Set<FileDescriptorProto>();
  const visit = (file: FileDescriptorProto): void => {
    if (result.has(file)) return;
    for (const name of file.dependency) visit(known.get(name)!);
    result.add(file);
  };
  for (const file of files.toSorted((a, b) => (a.name < b.name ? -1 : 1))) visit(file);
  return [...result];
}

function runPlugin(files: FileDescriptorProto[], generated: FileDescriptorProto[]): [string, string][] {
  const request = create(CodeGeneratorRequestSchema, {
    fileToGenerate: generated.map((file) => file.name),
    parameter: 'target=js+dts,import_extension=js',
    protoFile: files,
  });
  const plugin = spawnSync(process.execPath, [join(root, 'node_modules/.bin/protoc-gen-es')], {
    input: toBinary(CodeGeneratorRequestSchema, request),
    maxBuffer: 1 << 28,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (plugin.status !== 0) throw new Error(`protoc-gen-es ended with ${plugin.status}`);
  const response = fromBinary(CodeGeneratorResponseSchema, plugin.stdout);
  if (response.error !== '') throw new Error(response.error);
  return response.file.map((file) => [file.name, file.content]);
}

function write(name: string, content: string | Uint8Array): void {
  const path = join(draft, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

/** What `embedded.js` reads: where each descriptor lies in `descriptors.bin`, and which messages it declares. */
function descriptorTable(files: FileDescriptorProto[], sizes: number[]): string {
  const lines = files.map((file, index) => {
    const name = file.name.slice(0, -'.proto'.length);
    const enums = file.enumType.map((type) => type.name);
    return `${name} ${sizes[index]} ${file.package} ${messageNames(file).join(',')} ${enums.join(',')}`;
  });
  return `// Generated by tools/proto/generate.ts.

/** A line for each proto file in the order of \`descriptors.bin\`: name, bytes, package, messages, enums outside of them. */
export const table = \`${lines.join('\n')}\`;
`;
}

/** The descriptor as `embedded.js` reads it: JSON names that follow from the field names are restored there. */
function embedded(file: FileDescriptorProto): Uint8Array {
  const copy = clone(FileDescriptorProtoSchema, file);
  const visit = (message: DescriptorProto): void => {
    for (const field of message.field) {
      if (field.jsonName === protoCamelCase(field.name)) clearField(field, FieldDescriptorProtoSchema.field.jsonName);
    }
    for (const nested of message.nestedType) visit(nested);
  };
  for (const message of copy.messageType) visit(message);
  return toBinary(FileDescriptorProtoSchema, copy);
}

/** Takes the descriptor and its imports out of a generated module; `embedded.js` has them. */
function slim(name: string, content: string): string {
  if (!name.endsWith('_pb.js')) return content;
  const file = `${name.slice(0, -'_pb.js'.length)}.proto`;
  const runtime = `${'../'.repeat(name.split('/').length - 1)}embedded.js`;
  const result = content
    .replaceAll(/^import \{ file_.*\n/gm, '')
    .replace(/^import \{ (.*) \} from "@bufbuild\/protobuf\/codegenv2";\n/m, (_, names: string) => {
      const local = names.split(', ').map((one) => (one === 'fileDesc' ? 'file' : one));
      return `import { ${local.sort().join(', ')} } from "${runtime}";\n`;
    })
    .replace(/^ {2}fileDesc\(.*\);$/m, `  file("${file}");`);
  if (/fileDesc|import \{ file_|@bufbuild/.test(result.replace(/^\/\/.*/gm, '')))
    throw new Error(`${name} has a shape that slim does not know`);
  return result;
}

/**
 * protobuf-es in one module, over our descriptors. Its own modules for google.protobuf.* read descriptors as soon as they
 * are imported; what nobody here asks for is left out.
 */
async function library(): Promise<string> {
  const ownTypes = join(here, 'runtime/wkt.js');
  const bundle = await rolldown({
    cwd: root,
    input: join(here, 'runtime/library-entry.js'),
    external: ['./types.js'],
    // Of modules that are left out in the end.
    shimMissingExports: true,
    logLevel: 'silent',
    experimental: { attachDebugInfo: 'none' },
    treeshake: { moduleSideEffects: false },
    plugins: [
      {
        name: 'own-descriptors',
        resolveId: (source) => (/google\/protobuf\/\w+_pb\.js$/.test(source) ? ownTypes : null),
        transform: (code, id) => (id.endsWith('/wkt/wrappers.js') ? lazyWrappers(code) : null),
      },
    ],
  });
  const { output: chunks } = await bundle.generate({ format: 'esm', comments: false });
  await bundle.close();
  return `// Generated by tools/proto/generate.ts from @bufbuild/protobuf ${versionOf('protobuf')}, which is:
// Copyright 2021-2026 Buf Technologies, Inc.; licensed under the Apache License, Version 2.0.

${chunks[0].code}`;
}

/** Whether a type is a wrapper is asked of every field: by its name first, so that its fields need not be read. */
function lazyWrappers(code: string): string {
  const result = code.replace(
    'const f = messageDesc.fields[0];',
    'if (!isWrapperTypeName(messageDesc.typeName)) return false;\n    const f = messageDesc.fields[0];',
  );
  if (result === code) throw new Error('wkt/wrappers.js of protobuf-es has a shape that lazyWrappers does not know');
  return result;
}

function messageNames(file: FileDescriptorProto): string[] {
  const names: string[] = [];
  const visit = (prefix: string, message: DescriptorProto): void => {
    if (message.options?.mapEntry) return;
    names.push(prefix + message.name);
    for (const nested of message.nestedType) visit(`${prefix}${message.name}.`, nested);
  };
  for (const message of file.messageType) visit('', message);
  return names;
}

function readme(folder: string): string {
  return `# Generated protobuf readers

Envoy's API (see \`tools/proto/go.mod\` for the versions) as protobuf-es modules. Never edited: \`node tools/proto/generate.ts\` writes this folder, \`node tools/proto/generate.ts --check\` says whether it is fresh.

inputs ${inputsHash()}
outputs ${outputsHash(folder)}
`;
}

/** Everything that decides the output: the pinned modules, the generator, the plugin's version. */
function inputsHash(): string {
  const hash = createHash('sha256');
  for (const name of [
    'go.mod',
    'go.sum',
    'descriptors.ts',
    'proto-source.ts',
    'strip.ts',
    'generate.ts',
    ...runtimeFiles.map((file) => `runtime/${file}`),
    ...[...readWrittenFiles(written).keys()].map((file) => `written/${file}`),
  ])
    hash.update(readFileSync(join(here, name)));
  for (const name of librarySources) hash.update(readFileSync(join(here, 'runtime', name)));
  for (const name of ['protoc-gen-es', 'protobuf']) hash.update(versionOf(name));
  return hash.digest('hex');
}

function versionOf(name: string): string {
  const text = readFileSync(join(root, `node_modules/@bufbuild/${name}/package.json`), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function outputsHash(folder: string): string {
  const hash = createHash('sha256');
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (name === 'README.md' || !/\.(js|ts|bin)$/.test(name)) continue;
    hash.update(name).update(readFileSync(join(folder, name)));
  }
  return hash.digest('hex');
}

function check(): void {
  if (readFileSync(join(output, 'README.md'), 'utf8') === readme(output)) return;
  console.error('src/proto does not match tools/proto: run node tools/proto/generate.ts');
  process.exitCode = 1;
}
