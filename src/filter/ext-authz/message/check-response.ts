import { lowerAscii } from '../../../route/wire-text.ts';
import { readHeaderPair } from '../../wire/header-wire.ts';
import { eachField, readBytes, readStruct, within } from '../../wire/struct-wire.ts';
import { WireCursor } from '../../wire/wire-cursor.ts';
import { AppendAction, nothingSaid, ownFields, type CheckAnswer, type FieldChange } from '../check.ts';

const forbidden = 403;

interface HttpResponse {
  status: number;
  body: string;
  fields: FieldChange[];
  removedFields: string[];
  responseFields: FieldChange[];
  setParameters: [string, string][];
  removedParameters: string[];
  metadata: Record<string, unknown> | null;
}

/**
 * Reads `envoy.service.auth.v3.CheckResponse`.
 * @throws WireError of bytes that are none
 */
export function readCheckResponse(bytes: Uint8Array): CheckAnswer {
  const cursor = new WireCursor(bytes);
  let code = 0;
  let kind = 0;
  let response = emptyResponse();
  let metadata: Record<string, unknown> | null = null;
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        within(cursor, () => (code = readCode(cursor)));
        return true;
      case 2:
      case 3:
      case 5:
        kind = number;
        response = emptyResponse();
        within(cursor, () => readResponse(cursor, response, number === 3));
        return true;
      case 4:
        within(cursor, () => (metadata = readStruct(cursor)));
        return true;
      default:
        return false;
    }
  });
  const { fields, ...rest } = response;
  if (code === 0) {
    const said = kind === 3 ? { ...rest, requestFields: fields.map(ofRequest) } : {};
    return {
      ...nothingSaid,
      ...said,
      verdict: 'ok',
      status: 0,
      body: '',
      metadata: (kind === 3 ? rest.metadata : null) ?? metadata,
    };
  }
  const isError = kind === 5;
  const said =
    kind === 3 || kind === 0 ? {} : { status: rest.status, body: rest.body, responseFields: ofDenial(fields) };
  const answer: CheckAnswer = { ...nothingSaid, ...said, verdict: isError ? 'error' : 'denied', metadata };
  return isError || answer.status !== 0 ? answer : { ...answer, status: forbidden };
}

/** Envoy asks only whether a request's field is to be appended: `append_action` means nothing. */
function ofRequest(change: FieldChange): FieldChange {
  return change.isAppend ? change : { ...change, action: AppendAction.OverwriteOrAdd };
}

/** Envoy leaves out what is to be appended. */
function ofDenial(changes: readonly FieldChange[]): FieldChange[] {
  return ownFields(changes.flatMap(({ name, value, isAppend }) => (isAppend ? [] : [[name, value] as const])));
}

function emptyResponse(): HttpResponse {
  return {
    status: 0,
    body: '',
    fields: [],
    removedFields: [],
    responseFields: [],
    setParameters: [],
    removedParameters: [],
    metadata: null,
  };
}

function readResponse(cursor: WireCursor, into: HttpResponse, isOk: boolean): void {
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        if (isOk) return false;
        within(cursor, () => (into.status = readCode(cursor)));
        return true;
      case 2:
        within(cursor, () => into.fields.push(readChange(cursor)));
        return true;
      case 3:
        if (isOk) within(cursor, () => (into.metadata = readStruct(cursor)));
        else into.body = readBytes(cursor);
        return true;
      default:
        return isOk && readMore(cursor, number, into);
    }
  });
}

function readMore(cursor: WireCursor, number: number, into: HttpResponse): boolean {
  switch (number) {
    case 5:
      into.removedFields.push(lowerAscii(readBytes(cursor)));
      return true;
    case 6:
      within(cursor, () => into.responseFields.push(readChange(cursor)));
      return true;
    case 7:
      within(cursor, () => into.setParameters.push(readHeaderPair(cursor)));
      return true;
    case 8:
      into.removedParameters.push(readBytes(cursor));
      return true;
    default:
      return false;
  }
}

/** The first field of `HttpStatus` and of `google.rpc.Status`. */
function readCode(cursor: WireCursor): number {
  let code = 0;
  eachField(cursor, (number) => {
    if (number !== 1) return false;
    code = cursor.uint32() | 0;
    return true;
  });
  return code;
}

/** `HeaderValueOption`. */
function readChange(cursor: WireCursor): FieldChange {
  let pair: [string, string] = ['', ''];
  let append: boolean | null = null;
  let action: AppendAction = AppendAction.Append;
  eachField(cursor, (number) => {
    switch (number) {
      case 1:
        within(cursor, () => (pair = readHeaderPair(cursor)));
        return true;
      case 2:
        append = false;
        within(cursor, () => (append = readCode(cursor) !== 0));
        return true;
      case 3: {
        const value = cursor.uint32();
        action = value <= AppendAction.OverwriteIfExists ? (value as AppendAction) : AppendAction.OverwriteOrAdd;
        return true;
      }
      default:
        return false;
    }
  });
  if (append !== null) action = append ? AppendAction.Append : AppendAction.OverwriteOrAdd;
  return { name: lowerAscii(pair[0]), value: pair[1], action, isAppend: append === true };
}
