import type { Registry } from '@bufbuild/protobuf';
import { messageType } from '../../proto/embedded.js';
import { createRegistry } from '../../proto/protobuf.js';

/** Every message there is, each read when it is first met. */
export const messageTypes: Registry = Object.assign(createRegistry(), { getMessage: messageType });
