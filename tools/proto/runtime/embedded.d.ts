import type { DescFile, DescMessage } from '@bufbuild/protobuf';

/** The descriptor of a proto file (`envoy/config/core/v3/address.proto`), hydrated when it is first asked for. */
export declare function file(name: string): DescFile;

/** The descriptor of a message by its full name, or undefined when there is no such message. */
export declare function messageType(typeName: string): DescMessage | undefined;

/** Every message there is, by full name. */
export declare function messageTypeNames(): Iterable<string>;
