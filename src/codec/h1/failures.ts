import { Failure, ResponseFlag, RetryKind, Side } from '../../core/failure.ts';
import { UpstreamProtocolError } from '../../core/failures.ts';

function invalid(name: string, status: number, details: string, hint: string): Failure {
  return new Failure({
    name,
    flag: ResponseFlag.DownstreamProtocolError,
    side: Side.Downstream,
    status,
    retry: RetryKind.Never,
    reason: details,
    hint,
  });
}

// What may be wrong with a message. The reasons are Envoy's details strings (`Http1ResponseCodeDetailValues`), the
// statuses those of its answers.
export const CodecError = invalid(
  'h1-codec-error',
  400,
  'http1.codec_error',
  'The message does not follow the grammar of HTTP/1.1: see the detail, and check that the peer speaks HTTP/1.1 here.',
);
export const InvalidCharacters = invalid(
  'h1-invalid-characters',
  400,
  'http1.invalid_characters',
  'The head contains control characters or a bare carriage return: the sender is broken or tries to smuggle a request.',
);
export const InvalidUrl = invalid(
  'h1-invalid-url',
  400,
  'http1.invalid_url',
  'The request target is neither a path nor an absolute URL.',
);
export const InvalidScheme = invalid(
  'h1-invalid-scheme',
  400,
  'http1.invalid_scheme',
  'The absolute URL in the request line is neither http nor https.',
);
export const InvalidAuthority = invalid(
  'h1-invalid-authority',
  400,
  'http.invalid_authority',
  'The Host header is not a host with an optional port, or there are several.',
);
export const HeadersTooLarge = invalid(
  'h1-headers-too-large',
  431,
  'http1.headers_too_large',
  'The head is larger than max_request_headers_kb (requests, 60 by default) or max_response_headers_kb.',
);
export const TooManyHeaders = invalid(
  'h1-too-many-headers',
  431,
  'http1.too_many_headers',
  'The head has more fields than common_http_protocol_options.max_headers_count (100 by default).',
);
export const InvalidTransferEncoding = invalid(
  'h1-invalid-transfer-encoding',
  501,
  'http1.invalid_transfer_encoding',
  'Only the transfer coding "chunked" is understood, once and alone.',
);
export const LengthAndChunked = invalid(
  'h1-length-and-chunked',
  400,
  'http1.content_length_and_chunked_not_allowed',
  'Content-Length together with Transfer-Encoding is how requests are smuggled; allow_chunked_length permits it.',
);
export const LengthNotAllowed = invalid(
  'h1-length-not-allowed',
  400,
  'http1.content_length_not_allowed',
  'A 1xx or 204 response must not have a Content-Length.',
);
export const TransferEncodingNotAllowed = invalid(
  'h1-transfer-encoding-not-allowed',
  400,
  'http1.transfer_encoding_not_allowed',
  'A 1xx or 204 response must not have a Transfer-Encoding.',
);
export const BodyDisallowed = invalid(
  'h1-body-disallowed',
  400,
  'http1.body_disallowed',
  'A CONNECT request must not announce a body.',
);
export const ConnectionHeaderRejected = invalid(
  'h1-connection-header-rejected',
  400,
  'http1.connection_header_rejected',
  'The Connection header has too many tokens, or names a header that a client may not remove.',
);
export const UnexpectedUnderscore = invalid(
  'h1-unexpected-underscore',
  400,
  'http1.unexpected_underscore',
  'A header name contains an underscore and headers_with_underscores_action is REJECT_REQUEST.',
);
export const LowVersion = invalid(
  'h1-low-version',
  426,
  'low_version',
  'The client speaks HTTP/1.0 or older; http_protocol_options.accept_http_10 lets it in.',
);

/** The same fault in a response: the upstream's, whatever the client is told. */
export function ofUpstream(failure: Failure): Failure {
  const { reason } = failure.kind;
  return UpstreamProtocolError.with(failure.detail === '' ? reason : `${reason}: ${failure.detail}`);
}
