import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { CheckResponseSchema } from '../../../../src/proto/envoy/service/auth/v3/external_auth_pb.js';
import type { Step } from '../../row.ts';

/** What an authorization server answers by gRPC. */
export function says(answer: MessageInitShape<typeof CheckResponseSchema>, more: Partial<Step> = {}): Step {
  const message = toBinary(CheckResponseSchema, create(CheckResponseSchema, answer));
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(message.length, 1);
  return {
    headers: [['content-type', 'application/grpc']],
    chunks: [Buffer.concat([frame, message]).toString('latin1')],
    trailers: [['grpc-status', '0']],
    ...more,
  };
}
