import { WireType } from '../../wire/wire-type.ts';
import { WireWriter } from '../../wire/wire-writer.ts';
import type { Headers } from '../../../core/headers.ts';

/** HTTP status of each gRPC status, as Envoy's `Grpc::Utility::grpcToHttpStatus`. */
const httpStatuses = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** A grpc-status that is no number. */
export const invalidStatus = -1;

/** grpc-status of trailers or of a trailers-only head; null: there is none. */
export function readGrpcStatus(headers: Headers): number | null {
  const text = headers.get('grpc-status');
  if (text === undefined || text === '') return text === undefined ? null : invalidStatus;
  return /^\d{1,10}$/.test(text) ? Number(text) : invalidStatus;
}

export function httpStatusOf(grpcStatus: number): number {
  return httpStatuses[grpcStatus] ?? 500;
}

/** The google.rpc.Status of a failed call: what `grpc-status-details-bin` holds, else of status and message. */
export function statusMessage(grpcStatus: number, headers: Headers): Uint8Array {
  const details = decodeBase64(headers.get('grpc-status-details-bin') ?? '');
  if (details !== null && details.length > 0) return details;
  const status = new WireWriter();
  status.tag(1, WireType.Varint).int32(grpcStatus);
  const message = headers.get('grpc-message');
  if (message !== undefined && message !== '')
    status.tag(2, WireType.LengthDelimited).bytesWithLength(percentDecodeBytes(message));
  return status.finish();
}

function decodeBase64(text: string): Uint8Array | null {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null;
  const body = text.replace(/=+$/, '');
  return body.length % 4 === 1 ? null : latin1Bytes(atob(body));
}

/** Half an escape is left as it is. */
function percentDecodeBytes(text: string): Uint8Array {
  return latin1Bytes(
    text.replace(/%([0-9a-fA-F]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
  );
}

function latin1Bytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}
