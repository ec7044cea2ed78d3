import { toBool, toDouble, toInteger64 } from './scalar-conversion.ts';
import { FieldType } from '../schema/field-type.ts';
import { type JsonScalar, scalarText } from './scalar-text.ts';

/** Envoy's tolerance between two doubles: 32 times a float's epsilon. */
const tolerance = 32 * 2 ** -23;

/**
 * Compares what the path or query binds to a field with what the body says, in the type that the body's JSON has.
 * @returns what is wrong, in Envoy's words; empty: they are the same
 */
export function compareBinding(name: string, inBody: JsonScalar, bound: string | null): string {
  const text = bound ?? '';
  const failed = (type: string): string => `Failed to convert binding value ${name}:"${text}" to ${type}`;
  let isSame = true;
  if (typeof inBody === 'string') isSame = inBody === text;
  else if (typeof inBody === 'boolean') {
    const value = toBool(text);
    if (value === null) return failed('bool');
    isSame = value === inBody;
  } else if (typeof inBody === 'bigint' || Number.isSafeInteger(inBody)) {
    const type = Number(inBody) < 0 ? FieldType.Int64 : FieldType.Uint64;
    const value = toInteger64(text, type);
    if (value === null) return failed(type === FieldType.Int64 ? 'int64' : 'uint64');
    isSame = BigInt(value) === BigInt(inBody!);
  } else {
    const value = toDouble(text);
    if (value === null) return failed('double');
    isSame = Math.abs(value - Number(inBody)) < tolerance;
  }
  if (isSame) return '';
  return `The binding value "${text}" of the field ${name} is conflicting with the value ${scalarText(inBody)} in the body.`;
}
