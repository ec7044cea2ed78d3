/**
 * A CEL expression as plain data, in the shape of `cel.expr.Expr`: what travels to the workers, and what the library plans
 * as it is. Texts in it are bytes, one per character, as header values are.
 */
export interface ExpressionNode {
  /** The library names it in errors, which nobody reads. */
  readonly id: bigint;
  readonly exprKind: ExpressionKind;
}

export type ExpressionKind =
  | { readonly case: 'constExpr'; readonly value: { readonly constantKind: ConstantData } }
  | { readonly case: 'identExpr'; readonly value: { readonly name: string } }
  | { readonly case: 'selectExpr'; readonly value: SelectData }
  | { readonly case: 'callExpr'; readonly value: CallData }
  | { readonly case: 'listExpr'; readonly value: ListData }
  | { readonly case: 'structExpr'; readonly value: StructData };

export type ConstantData =
  | { readonly case: 'nullValue'; readonly value: 0 }
  | { readonly case: 'boolValue'; readonly value: boolean }
  | { readonly case: 'int64Value' | 'uint64Value'; readonly value: bigint }
  | { readonly case: 'doubleValue'; readonly value: number }
  | { readonly case: 'stringValue'; readonly value: string }
  | { readonly case: 'bytesValue'; readonly value: Uint8Array };

interface SelectData {
  readonly operand: ExpressionNode;
  readonly field: string;
  /** `has(operand.field)`. */
  readonly testOnly: boolean;
}

interface CallData {
  /** Undefined: a function, not a method. */
  readonly target: ExpressionNode | undefined;
  readonly function: string;
  readonly args: readonly ExpressionNode[];
}

interface ListData {
  readonly elements: readonly ExpressionNode[];
  readonly optionalIndices: readonly number[];
}

/** A map where `messageName` is empty. */
interface StructData {
  readonly messageName: string;
  readonly entries: readonly StructEntryData[];
}

interface StructEntryData {
  readonly id: bigint;
  readonly keyKind:
    | { readonly case: 'fieldKey'; readonly value: string }
    | { readonly case: 'mapKey'; readonly value: ExpressionNode };
  readonly value: ExpressionNode;
  readonly optionalEntry: boolean;
}

/** An expression that Envoy would take, too. */
export interface ExpressionData {
  readonly root: ExpressionNode;
  /** `enable_string_concat`: `+` joins texts and bytes. */
  readonly joinsStrings: boolean;
  /** `enable_string_functions`. */
  readonly hasStringFunctions: boolean;
}

/** `CelExpressionConfig`. */
export interface ExpressionOptions {
  readonly stringConversion: boolean;
  readonly stringConcat: boolean;
  readonly stringFunctions: boolean;
}

export const defaultExpressionOptions: ExpressionOptions = {
  stringConversion: false,
  stringConcat: false,
  stringFunctions: false,
};
