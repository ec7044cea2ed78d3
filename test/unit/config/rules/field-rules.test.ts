import { create, createFileRegistry, setExtension, type DescMessage, type MessageInitShape } from '@bufbuild/protobuf';
import {
  type FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  OneofOptionsSchema,
  file_google_protobuf_any,
  file_google_protobuf_duration,
  file_google_protobuf_timestamp,
} from '@bufbuild/protobuf/wkt';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../../src/config/document.ts';
import { parseMessage } from '../../../../src/config/parse.ts';
import { FieldRulesSchema, required, rules as rulesOption } from '../../../../src/proto/validate/validate_pb.js';

type Rules = MessageInitShape<typeof FieldRulesSchema>;
type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;

const optional = 1;
const repeated = 3;
const kinds = { bool: 8, string: 9, message: 11, enum: 14, int32: 5 };

/** A message type of its own with one field `f` that has the rules. */
function typeWith(field: Field, rules: Rules): DescMessage {
  const options = create(FieldOptionsSchema);
  setExtension(options, rulesOption, create(FieldRulesSchema, rules));
  const oneofOptions = create(OneofOptionsSchema);
  setExtension(oneofOptions, required, true);
  const file = create(FileDescriptorProtoSchema, {
    name: 't.proto',
    package: 't',
    syntax: 'proto3',
    dependency: ['google/protobuf/any.proto', 'google/protobuf/duration.proto', 'google/protobuf/timestamp.proto'],
    enumType: [
      {
        name: 'E',
        value: [
          { name: 'ZERO', number: 0 },
          { name: 'ONE', number: 1 },
        ],
      },
    ],
    messageType: [
      { name: 'Inner', field: [{ name: 'g', jsonName: 'g', number: 1, label: optional, type: kinds.int32 }] },
      {
        name: 'T',
        field: [{ name: 'f', jsonName: 'f', number: 1, label: optional, options, ...field }],
        oneofDecl: field.oneofIndex === undefined ? [] : [{ name: 'choice', options: oneofOptions }],
        nestedType: [
          {
            name: 'MEntry',
            options: { mapEntry: true },
            field: [
              { name: 'key', jsonName: 'key', number: 1, label: optional, type: kinds.string },
              { name: 'value', jsonName: 'value', number: 2, label: optional, type: kinds.int32 },
            ],
          },
        ],
      },
    ],
  });
  const known = [file_google_protobuf_any, file_google_protobuf_duration, file_google_protobuf_timestamp];
  const registry = createFileRegistry(file, (name) => known.find((one) => one.proto.name === name));
  return registry.getMessage('t.T')!;
}

function broken(type: DescMessage, value: string): string[] {
  const { reasons } = parseMessage(readConfig({ path: 't.yaml', text: value }), type);
  return reasons.map((reason) => `${reason.path}: ${reason.message}`);
}

const enumField: Field = { type: kinds.enum, typeName: '.t.E' };
const inner: Field = { type: kinds.message, typeName: '.t.Inner' };
const map: Field = { type: kinds.message, typeName: '.t.T.MEntry', label: repeated };
const durationField: Field = { type: kinds.message, typeName: '.google.protobuf.Duration' };
const timestampField: Field = { type: kinds.message, typeName: '.google.protobuf.Timestamp' };
const anyField: Field = { type: kinds.message, typeName: '.google.protobuf.Any' };
const list: Field = { type: kinds.int32, label: repeated };

const cases: [name: string, field: Field, rules: Rules, right: string[], wrong: [text: string, reason: string][]][] = [
  [
    'bool.const',
    { type: kinds.bool },
    { type: { case: 'bool', value: { const: true } } },
    ['f: true'],
    [['{}', 'f: must be true, found false']],
  ],
  [
    'enum.const',
    enumField,
    { type: { case: 'enum', value: { const: 1 } } },
    ['f: ONE'],
    [['{}', 'f: must be ONE, found ZERO']],
  ],
  [
    'enum.defined_only',
    enumField,
    { type: { case: 'enum', value: { definedOnly: true } } },
    ['{}', 'f: 1'],
    [['f: 2', 'f: must be one of ZERO, ONE, found 2']],
  ],
  [
    'enum.in',
    enumField,
    { type: { case: 'enum', value: { in: [1] } } },
    ['f: ONE'],
    [['f: 0', 'f: must be ONE, found ZERO']],
  ],
  [
    'enum.not_in',
    enumField,
    { type: { case: 'enum', value: { notIn: [0] } } },
    ['f: 1'],
    [['{}', 'f: must not be ZERO, found ZERO']],
  ],
  [
    'message.required',
    inner,
    { message: { required: true } },
    ['f: {}'],
    [
      ['{}', 'f: f is required'],
      ['f: null', 'f: f is required'],
    ],
  ],
  [
    'string.ignore_empty',
    { type: kinds.string },
    { type: { case: 'string', value: { minLen: 3n, ignoreEmpty: true } } },
    ['{}', 'f: abc'],
    [['f: ab', 'f: must have at least 3 characters, found "ab"']],
  ],
  [
    'repeated.min_items',
    list,
    { type: { case: 'repeated', value: { minItems: 2n } } },
    ['f: [1, 2]'],
    [['f: 1', 'f: must have at least 2 elements, found 1']],
  ],
  [
    'repeated.max_items',
    list,
    { type: { case: 'repeated', value: { maxItems: 1n } } },
    ['f: [1]', '{}'],
    [['f: [1, 2]', 'f: must have at most 1 element, found 2']],
  ],
  [
    'repeated.unique',
    list,
    { type: { case: 'repeated', value: { unique: true } } },
    ['f: [1, 2]'],
    [['f: [1, 1]', 'f: must have no element twice, found 2']],
  ],
  [
    'repeated.items',
    list,
    { type: { case: 'repeated', value: { items: { type: { case: 'int32', value: { gt: 0 } } } } } },
    ['f: [1, 2]'],
    [['f: [1, 0]', 'f[1]: must be greater than 0, found 0']],
  ],
  [
    'repeated.ignore_empty',
    list,
    { type: { case: 'repeated', value: { minItems: 2n, ignoreEmpty: true } } },
    ['{}'],
    [['f: [1]', 'f: must have at least 2 elements, found 1']],
  ],
  [
    'map.min_pairs',
    map,
    { type: { case: 'map', value: { minPairs: 1n } } },
    ['f: {a: 1}'],
    [['{}', 'f: must have at least 1 entry, found 0']],
  ],
  [
    'map.max_pairs',
    map,
    { type: { case: 'map', value: { maxPairs: 0n } } },
    ['{}'],
    [['f: {a: 1}', 'f: must have at most 0 entries, found 1']],
  ],
  [
    'map.keys',
    map,
    { type: { case: 'map', value: { keys: { type: { case: 'string', value: { minLen: 1n } } } } } },
    ['f: {a: 1}'],
    [['f: {"": 1}', 'f[]: the key must not be empty, found ""']],
  ],
  [
    'map.values',
    map,
    { type: { case: 'map', value: { values: { type: { case: 'int32', value: { lt: 5 } } } } } },
    ['f: {a: 1}'],
    [['f: {a: 5}', 'f[a]: must be less than 5, found 5']],
  ],
  [
    'any.required',
    anyField,
    { type: { case: 'any', value: { required: true } } },
    ['f: {}'],
    [['{}', 'f: f is required']],
  ],
  [
    'any.in',
    anyField,
    { type: { case: 'any', value: { in: ['x/google.protobuf.Empty'] } } },
    ['f: {"@type": x/google.protobuf.Empty}'],
    [
      [
        'f: {"@type": y/google.protobuf.Empty}',
        'f: must be of type x/google.protobuf.Empty, found "y/google.protobuf.Empty"',
      ],
    ],
  ],
  [
    'any.not_in',
    anyField,
    { type: { case: 'any', value: { notIn: ['x/google.protobuf.Empty'] } } },
    ['f: {}'],
    [
      [
        'f: {"@type": x/google.protobuf.Empty}',
        'f: must not be of type x/google.protobuf.Empty, found "x/google.protobuf.Empty"',
      ],
    ],
  ],
  [
    'duration.required',
    durationField,
    { type: { case: 'duration', value: { required: true } } },
    ['f: 0s'],
    [['{}', 'f: f is required']],
  ],
  [
    'duration range',
    durationField,
    { type: { case: 'duration', value: { gt: {}, lte: { seconds: 1n, nanos: 500_000_000 } } } },
    ['{}', 'f: 1.5s'],
    [['f: 0s', 'f: must be greater than 0s and at most 1.5s, found 0s']],
  ],
  [
    'duration.in',
    durationField,
    { type: { case: 'duration', value: { in: [{ seconds: 1n }] } } },
    ['f: 1s'],
    [['f: 2s', 'f: must be 1s, found 2s']],
  ],
  [
    'timestamp.gt',
    timestampField,
    { type: { case: 'timestamp', value: { gt: { seconds: 0n } } } },
    ['f: 2020-01-01T00:00:00Z'],
    [['f: "1970-01-01T00:00:00Z"', 'f: must be greater than 1970-01-01T00:00:00.000Z, found 1970-01-01T00:00:00.000Z']],
  ],
  [
    'timestamp.lt_now',
    timestampField,
    { type: { case: 'timestamp', value: { ltNow: true } } },
    ['f: "2020-01-01T00:00:00Z"'],
    [['f: "9999-01-01T00:00:00Z"', 'f: must be in the past, found 9999-01-01T00:00:00.000Z']],
  ],
  [
    'timestamp.gt_now',
    timestampField,
    { type: { case: 'timestamp', value: { gtNow: true } } },
    ['f: "9999-01-01T00:00:00Z"'],
    [['f: "2020-01-01T00:00:00Z"', 'f: must be in the future, found 2020-01-01T00:00:00.000Z']],
  ],
  [
    'timestamp.within',
    timestampField,
    { type: { case: 'timestamp', value: { gtNow: true, within: { seconds: 1n } } } },
    ['{}'],
    [['f: "9999-01-01T00:00:00Z"', 'f: must be within 1s of now, found 9999-01-01T00:00:00.000Z']],
  ],
  ['oneof.required', { type: kinds.int32, oneofIndex: 0 }, {}, ['f: 0'], [['{}', ': one of f must be set']]],
];

describe('rulesOf', () => {
  it.each(cases)('%s', (_, field, rules, right, wrong) => {
    const type = typeWith(field, rules);
    for (const text of right) expect(broken(type, text), text).toEqual([]);
    for (const [text, reason] of wrong) expect(broken(type, text), text).toEqual([reason]);
  });
});
