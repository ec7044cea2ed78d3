import { chunked, get, post, type RequestRow } from './row.ts';

/** Content-Length and Transfer-Encoding. */
export const framing: readonly RequestRow[] = [
  { name: 'content-length', bytes: post('Content-Length: 5\r\n', 'hello'), envoy: '200 via_upstream' },
  { name: 'content-length 0', bytes: post('Content-Length: 0\r\n', ''), envoy: '200 via_upstream' },
  { name: 'content-length with GET', bytes: get('Content-Length: 5\r\n') + 'hello', envoy: '200 via_upstream' },
  {
    name: 'two equal content-lengths',
    bytes: post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '400 http1.codec_error',
  },
  {
    name: 'two different content-lengths',
    bytes: post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello!'),
    envoy: '400 http1.codec_error',
  },
  { name: 'content-length list', bytes: post('Content-Length: 5, 5\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length +5', bytes: post('Content-Length: +5\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length -5', bytes: post('Content-Length: -5\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length 0x5', bytes: post('Content-Length: 0x5\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length 5.0', bytes: post('Content-Length: 5.0\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length empty', bytes: post('Content-Length:\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length "5"', bytes: post('Content-Length: "5"\r\n', 'hello'), envoy: '400 http1.codec_error' },
  { name: 'content-length 5 5', bytes: post('Content-Length: 5 5\r\n', 'hello'), envoy: '400 http1.codec_error' },
  {
    name: 'content-length with leading zeros',
    bytes: post('Content-Length: 0000000000000000000005\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  {
    name: 'content-length 2^64',
    bytes: post('Content-Length: 18446744073709551616\r\n', 'hello'),
    envoy: '400 http1.codec_error',
  },
  {
    name: 'content-length 2^53',
    bytes: post('Content-Length: 9007199254740992\r\n', 'hello'),
    envoy: '-',
    sekisho: '400 http1.codec_error',
    why: 'lengths end at 2^53 - 1',
  },
  {
    name: 'content-length with trailing tab',
    bytes: post('Content-Length: 5\t\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  { name: 'no length with POST', bytes: post('', ''), envoy: '200 via_upstream' },
  { name: 'chunked', bytes: chunked('5\r\nhello\r\n0\r\n\r\n'), envoy: '200 via_upstream' },
  {
    name: 'CHUNKED',
    bytes: post('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    envoy: '200 via_upstream',
  },
  {
    name: 'transfer-encoding gzip',
    bytes: post('Transfer-Encoding: gzip\r\n', ''),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding gzip, chunked',
    bytes: post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding chunked, chunked',
    bytes: post('Transfer-Encoding: chunked, chunked\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding chunked, identity',
    bytes: post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding identity',
    bytes: post('Transfer-Encoding: identity\r\n', ''),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding identity, content-length',
    bytes: post('Transfer-Encoding: identity\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '400 http1.content_length_and_chunked_not_allowed',
  },
  {
    name: 'transfer-encoding xchunked',
    bytes: post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding "chunked"',
    bytes: post('Transfer-Encoding: "chunked"\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding with vertical tab',
    bytes: post('Transfer-Encoding: \x0bchunked\r\n', '0\r\n\r\n'),
    envoy: '400 http1.invalid_characters',
  },
  {
    name: 'transfer-encoding with parameter',
    bytes: post('Transfer-Encoding: chunked;x=1\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding empty',
    bytes: post('Transfer-Encoding:\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'two transfer-encodings',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'two transfer-encodings, second identity',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n', '0\r\n\r\n'),
    envoy: '501 http1.invalid_transfer_encoding',
  },
  {
    name: 'transfer-encoding, space before the colon',
    bytes: post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    envoy: '400 http1.codec_error',
  },
  {
    name: 'transfer_encoding with underscore',
    bytes: post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'),
    envoy: '200 via_upstream',
  },
  {
    name: 'CL.TE',
    bytes: post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\nX'),
    envoy: '400 http1.content_length_and_chunked_not_allowed',
  },
  {
    name: 'TE.CL',
    bytes: post('Transfer-Encoding: chunked\r\nContent-Length: 4\r\n', '5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n'),
    envoy: '400 http1.content_length_and_chunked_not_allowed',
  },
  {
    name: 'CL.TE, chunked length allowed',
    bytes: post('Content-Length: 6\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    envoy: '200 via_upstream',
    variant: 'chunkedLength',
  },
  {
    name: 'CL.TE gzip, chunked length allowed',
    bytes: post('Content-Length: 6\r\nTransfer-Encoding: gzip\r\n', '0\r\n\r\n'),
    envoy: '400 http1.content_length_and_chunked_not_allowed',
    variant: 'chunkedLength',
  },
  {
    name: 'CL.TE two lengths, chunked length allowed',
    bytes: post('Content-Length: 6\r\nContent-Length: 7\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    envoy: '400 http1.codec_error',
    variant: 'chunkedLength',
  },
];
