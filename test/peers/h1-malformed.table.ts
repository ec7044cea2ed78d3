/**
 * Malformed and borderline HTTP/1.1 messages with what Envoy 1.39.3 answers to them and what sekisho does.
 * Adding a row: write the bytes, ask Envoy, and where sekisho differs say why.
 */
import { chunks } from './h1-malformed/chunks.ts';
import { fields } from './h1-malformed/fields.ts';
import { framing } from './h1-malformed/framing.ts';
import { limits } from './h1-malformed/limits.ts';
import { requestLines } from './h1-malformed/request-lines.ts';
import { responses } from './h1-malformed/responses.ts';
import { targets } from './h1-malformed/targets.ts';
import type { RequestRow, ResponseRow } from './h1-malformed/row.ts';

export { requestOf, variantOptions, type Variant } from './h1-malformed/row.ts';

export const requestRows: readonly RequestRow[] = [
  ...requestLines,
  ...targets,
  ...fields,
  ...framing,
  ...chunks,
  ...limits,
];

export const responseRows: readonly ResponseRow[] = responses;
