import { protoReader } from './descriptor.js';
import { fromBinary } from './protobuf.js';

protoReader.read = fromBinary;

export * from './types.js';
