import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { protoCamelCase } from '@bufbuild/protobuf/reflect';
import {
  DescriptorProtoSchema,
  EnumDescriptorProtoSchema,
  FieldDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
  FileDescriptorProtoSchema,
  MessageOptionsSchema,
  MethodDescriptorProtoSchema,
  ServiceDescriptorProtoSchema,
  type DescriptorProto,
  type EnumDescriptorProto,
  type FieldDescriptorProto,
  type FileDescriptorProto,
  type ServiceDescriptorProto,
} from '@bufbuild/protobuf/wkt';

const scalars: Readonly<Record<string, Type>> = {
  double: Type.DOUBLE,
  float: Type.FLOAT,
  int64: Type.INT64,
  uint64: Type.UINT64,
  int32: Type.INT32,
  fixed64: Type.FIXED64,
  fixed32: Type.FIXED32,
  bool: Type.BOOL,
  string: Type.STRING,
  bytes: Type.BYTES,
  uint32: Type.UINT32,
  sfixed32: Type.SFIXED32,
  sfixed64: Type.SFIXED64,
  sint32: Type.SINT32,
  sint64: Type.SINT64,
};

/** Every `.proto` file below `folder`, by its name there: messages that no Go module has. */
export function readWrittenFiles(folder: string): Map<string, FileDescriptorProto> {
  const files = new Map<string, FileDescriptorProto>();
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()) {
    if (!path.endsWith('.proto')) continue;
    const name = path.replaceAll('\\', '/');
    files.set(name, parseProto(name, readFileSync(join(folder, path), 'utf8')));
  }
  return files;
}

/** proto3 without options, extensions and groups: what messages written out by hand need. */
export function parseProto(name: string, source: string): FileDescriptorProto {
  return new Parser(name, source).file();
}

/** Names of types are as written until `qualify`. */
class Parser {
  private readonly tokens: readonly string[];
  private at: number;
  private readonly result: FileDescriptorProto;

  constructor(name: string, source: string) {
    this.tokens = source.replaceAll(/\/\/.*|\/\*[\s\S]*?\*\//g, ' ').match(/"[^"]*"|[\w.]+|[^\s\w]/g) ?? [];
    this.at = 0;
    this.result = create(FileDescriptorProtoSchema, { name, syntax: 'proto3' });
  }

  file(): FileDescriptorProto {
    const { result } = this;
    while (this.at < this.tokens.length) {
      const word = this.next();
      if (word === 'package') result.package = this.next();
      else if (word === 'message') result.messageType.push(this.message());
      else if (word === 'enum') result.enumType.push(this.enumeration());
      else if (word === 'service') result.service.push(this.service());
      else if (!['syntax', 'import', ';'].includes(word)) throw new Error(`${result.name}: ${word} is not understood`);
      else if (word !== ';') this.skipTo(';');
    }
    qualify(result);
    return result;
  }

  private message(): DescriptorProto {
    const message = create(DescriptorProtoSchema, { name: this.next() });
    this.expect('{');
    while (!this.take('}')) this.member(message);
    return message;
  }

  private member(message: DescriptorProto): void {
    const word = this.next();
    if (word === 'message') message.nestedType.push(this.message());
    else if (word === 'enum') message.enumType.push(this.enumeration());
    else if (word === 'reserved') this.skipTo(';');
    else if (word === 'map') message.field.push(this.map(message));
    else if (word === 'oneof') this.oneof(message);
    else if (word === 'repeated') message.field.push(this.field(this.next(), Label.REPEATED));
    else if (word === 'optional') this.optional(message);
    else message.field.push(this.field(word, Label.OPTIONAL));
  }

  private oneof(message: DescriptorProto): void {
    const oneofIndex = message.oneofDecl.length;
    message.oneofDecl.push({ $typeName: 'google.protobuf.OneofDescriptorProto', name: this.next() });
    this.expect('{');
    while (!this.take('}')) {
      const field = this.field(this.next(), Label.OPTIONAL);
      field.oneofIndex = oneofIndex;
      message.field.push(field);
    }
  }

  private optional(message: DescriptorProto): void {
    const field = this.field(this.next(), Label.OPTIONAL);
    field.proto3Optional = true;
    field.oneofIndex = message.oneofDecl.length;
    message.oneofDecl.push({ $typeName: 'google.protobuf.OneofDescriptorProto', name: `_${field.name}` });
    message.field.push(field);
  }

  private field(type: string, label: Label): FieldDescriptorProto {
    const name = this.next();
    this.expect('=');
    const number = Number(this.next());
    this.expect(';');
    return made(name, number, type, label);
  }

  private map(message: DescriptorProto): FieldDescriptorProto {
    this.expect('<');
    const key = this.next();
    this.expect(',');
    const value = this.next();
    this.expect('>');
    const name = this.next();
    this.expect('=');
    const number = Number(this.next());
    this.expect(';');
    const camel = protoCamelCase(name);
    const entry = `${camel[0].toUpperCase()}${camel.slice(1)}Entry`;
    message.nestedType.push(
      create(DescriptorProtoSchema, {
        name: entry,
        field: [made('key', 1, key, Label.OPTIONAL), made('value', 2, value, Label.OPTIONAL)],
        options: create(MessageOptionsSchema, { mapEntry: true }),
      }),
    );
    return made(name, number, entry, Label.REPEATED);
  }

  private enumeration(): EnumDescriptorProto {
    const type = create(EnumDescriptorProtoSchema, { name: this.next() });
    this.expect('{');
    while (!this.take('}')) {
      const name = this.next();
      this.expect('=');
      type.value.push({ $typeName: 'google.protobuf.EnumValueDescriptorProto', name, number: Number(this.next()) });
      this.expect(';');
    }
    return type;
  }

  private service(): ServiceDescriptorProto {
    const service = create(ServiceDescriptorProtoSchema, { name: this.next() });
    this.expect('{');
    while (!this.take('}')) {
      this.expect('rpc');
      const method = create(MethodDescriptorProtoSchema, { name: this.next() });
      [method.clientStreaming, method.inputType] = this.signature();
      this.expect('returns');
      [method.serverStreaming, method.outputType] = this.signature();
      if (this.take('{')) this.expect('}');
      else this.expect(';');
      service.method.push(method);
    }
    return service;
  }

  private signature(): [boolean, string] {
    this.expect('(');
    const isStream = this.take('stream');
    const type = this.next();
    this.expect(')');
    return [isStream, type];
  }

  private next(): string {
    if (this.at >= this.tokens.length) throw new Error(`${this.result.name} ends too early`);
    return this.tokens[this.at++];
  }

  private take(token: string): boolean {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  private expect(token: string): void {
    const word = this.next();
    if (word !== token) throw new Error(`${this.result.name}: ${token} is expected, not ${word}`);
  }

  private skipTo(token: string): void {
    while (this.next() !== token);
  }
}

function made(name: string, number: number, type: string, label: Label): FieldDescriptorProto {
  const scalar = scalars[type];
  const kind = scalar === undefined ? { typeName: type } : { type: scalar };
  return create(FieldDescriptorProtoSchema, { name, number, label, jsonName: protoCamelCase(name), ...kind });
}

/** Types by their whole names: those of the file by where they stand, all others as they are written. */
function qualify(file: FileDescriptorProto): void {
  const root = file.package === '' ? '' : `.${file.package}`;
  const kinds = new Map<string, Type>();
  const declare = (scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    kinds.set(name, Type.MESSAGE);
    for (const type of message.enumType) kinds.set(`${name}.${type.name}`, Type.ENUM);
    for (const nested of message.nestedType) declare(name, nested);
  };
  for (const message of file.messageType) declare(root, message);
  for (const type of file.enumType) kinds.set(`${root}.${type.name}`, Type.ENUM);

  const wholeName = (scope: string, type: string): string => {
    for (let from = scope; ; from = from.slice(0, from.lastIndexOf('.'))) {
      if (kinds.has(`${from}.${type}`)) return `${from}.${type}`;
      if (from === '') return `.${type}`;
    }
  };
  const visit = (scope: string, message: DescriptorProto): void => {
    const name = `${scope}.${message.name}`;
    for (const field of message.field) {
      if (field.typeName === '') continue;
      field.typeName = wholeName(name, field.typeName);
      field.type = kinds.get(field.typeName) ?? Type.MESSAGE;
    }
    for (const nested of message.nestedType) visit(name, nested);
  };
  for (const message of file.messageType) visit(root, message);
  for (const service of file.service) {
    for (const method of service.method) {
      method.inputType = wholeName(root, method.inputType);
      method.outputType = wholeName(root, method.outputType);
    }
  }
}
