import { percentDecode } from '../path/percent.ts';
import { FieldType } from './field-type.ts';
import type { FieldPlan, MessagePlan } from './message-plan.ts';

/**
 * The fields that a path of names leads through.
 * @returns what is wrong with it, in Envoy's words, where there is no such path
 */
export function resolveFieldPath(message: MessagePlan, names: readonly string[]): readonly FieldPlan[] | string {
  const path: FieldPlan[] = [];
  let current = message;
  for (let i = 0; i < names.length; i++) {
    const field = current.field(names[i]) ?? current.field(percentDecode(names[i], 'all'));
    if (field === undefined) return `Could not find field "${names[i]}" in the type "${current.typeName}".`;
    path.push(field);
    if (i === names.length - 1) break;
    if (field.type !== FieldType.Message)
      return `Encountered a non-leaf field "${field.name}" that is not a message while parsing a field path`;
    current = field.message!;
  }
  return path;
}

/** Names of a body's path: `*` and nothing are the message itself. */
export function bodyPathNames(path: string): readonly string[] {
  return path === '*' ? [] : path.split('.').filter((name) => name !== '');
}
