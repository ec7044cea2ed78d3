import type { FormatContext } from './format-context.ts';
import { FormatError } from './format-error.ts';
import type { Operator } from './operator.ts';

/** One command operator: what it may be given, and how it is made. */
export interface Command {
  readonly parameter: 'none' | 'optional' | 'required';
  /** Takes `:N`. */
  readonly takesLength: boolean;
  make(parameter: string, length: number | null, context: FormatContext): Operator;
}

/** Refuses what Envoy refuses, in its words. */
export function verifySyntax(name: string, command: Command, parameter: string, length: number | null): void {
  const isBare = command.parameter === 'none' && !command.takesLength;
  if (isBare && (parameter !== '' || length !== null))
    throw new FormatError(`${name} does not take any parameters or length`);
  if (command.parameter === 'required' && parameter === '') throw new FormatError(`${name} requires parameters`);
  if (!command.takesLength && length !== null) throw new FormatError(`${name} does not allow length to be specified.`);
}
