import type { DescEnumValue, DescField, DescFile, DescMessage, DescOneof } from '@bufbuild/protobuf';

/** The descriptor of a proto file (`envoy/config/core/v3/address.proto`), hydrated as it is read. */
export declare function file(name: string): DescFile;

/** The descriptor of a message by its full name, or undefined when there is no such message. */
export declare function messageType(typeName: string): DescMessage | undefined;

/** Every message there is, by full name. */
export declare function messageTypeNames(): Iterable<string>;

/**
 * An option that a proto file declares itself (`validate.rules`), by its extension number, without reading the others:
 * the bytes of a message or a text, the value of a number or a bool; undefined when it is not set.
 */
export declare function customOption(
  descriptor: DescMessage | DescField | DescOneof | DescEnumValue,
  number: number,
): Uint8Array | number | undefined;
