import type { DescField, DescMessage, MessageShape } from '@bufbuild/protobuf';
import type { Reasons } from './rejection.ts';

/** Which fields of one message sekisho acts on. `docs/compatibility.md` is generated from all of these. */
export interface SupportedMessage {
  readonly schema: DescMessage;
  readonly fields: ReadonlySet<string>;
  /** Fields that Envoy accepts without acting on them, so we may too. */
  readonly ignored: ReadonlySet<string>;
  refusedFields(): readonly DescField[];
}

/** Every declaration made by the `decode.ts` files that were loaded. */
export const supportedMessages: SupportedMessage[] = [];

/**
 * Declares, once per message and at the top of a `decode.ts`, the proto names of the fields it reads.
 * `check` then refuses by name whatever else is set: no field is accepted and ignored.
 */
export class SupportedFields<Desc extends DescMessage> implements SupportedMessage {
  readonly schema: Desc;
  readonly fields: ReadonlySet<string>;
  readonly ignored: ReadonlySet<string>;
  /** What is refused, once it is known: reading a schema's fields costs a start time, and most are never set. */
  private refused: readonly DescField[] | null;

  constructor(schema: Desc, fields: readonly string[], ignored: readonly string[] = []) {
    this.schema = schema;
    this.fields = new Set(fields);
    this.ignored = new Set(ignored);
    this.refused = null;
    supportedMessages.push(this);
  }

  check(message: MessageShape<Desc>, reasons: Reasons): void {
    this.refused ??= this.refusedFields();
    for (const field of this.refused) if (isSet(message, field)) reasons.unsupported(field.name);
  }

  /** @throws Error of a name that the message does not have */
  refusedFields(): DescField[] {
    const { schema, fields, ignored } = this;
    for (const name of [...fields, ...ignored]) {
      if (!schema.fields.some((field) => field.name === name))
        throw new Error(`${schema.typeName} has no field ${name}`);
    }
    return schema.fields.filter(({ name }) => !fields.has(name) && !ignored.has(name));
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** protobuf-es's `isFieldSet`, for messages of the field's own type. */
function isSet(message: Fields, field: DescField): boolean {
  const { localName, oneof } = field;
  if (oneof !== undefined) return (message[oneof.localName] as { case: string | undefined }).case === localName;
  const value = message[localName];
  switch (field.fieldKind) {
    case 'list':
      return (value as readonly unknown[]).length > 0;
    case 'map':
      return Object.keys(value as object).length > 0;
    default:
      // With presence a zero value is on the prototype; without it, it is not set.
      if ((field.presence as number) === implicitPresence) return !isZero(value);
      return value !== undefined && Object.hasOwn(message, localName);
  }
}

/** google.protobuf.FeatureSet.FieldPresence.IMPLICIT. */
const implicitPresence = 2;

function isZero(value: unknown): boolean {
  if (value instanceof Uint8Array) return value.length === 0;
  return value === '' || value === 0n || value === false || Object.is(value, 0);
}
