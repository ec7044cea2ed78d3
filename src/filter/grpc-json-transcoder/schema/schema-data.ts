import type { FieldType } from './field-type.ts';

export interface FieldData {
  readonly number: number;
  readonly name: string;
  readonly jsonName: string;
  readonly type: FieldType;
  /** Full name of the message or enum; empty: it is a scalar. */
  readonly typeName: string;
  readonly isRepeated: boolean;
  /** Repeated, and its message is an entry of a map. */
  readonly isMap: boolean;
  readonly isRequired: boolean;
  /** Unset and zero are two things. */
  readonly hasPresence: boolean;
  /** Name of its oneof; empty: it is in none. */
  readonly oneof: string;
}

export interface MessageData {
  readonly typeName: string;
  readonly fields: readonly FieldData[];
}

export interface EnumData {
  readonly typeName: string;
  readonly values: readonly { readonly name: string; readonly number: number }[];
}

/** The messages of a descriptor set, as plain data: workers have no use for descriptors. */
export interface SchemaData {
  readonly messages: readonly MessageData[];
  readonly enums: readonly EnumData[];
}
