import type { GrpcServiceData } from '../../identity/config-source-data.ts';
import { WireError } from '../wire/wire-cursor.ts';
import type { Peer } from '../../core/peer.ts';
import type { Outcome } from '../../observe/outcome.ts';
import type { CallOut, CallOuts, CallTrace } from '../call-outs.ts';
import { nothingSaid, type Authorizer, type Check, type CheckAnswer } from './check.ts';
import { CheckRequestWriter, type CheckRequestSettings } from './message/check-request.ts';
import { readCheckResponse } from './message/check-response.ts';

const path = '/envoy.service.auth.v3.Authorization/Check';

/** A server of `envoy.service.auth.v3.Authorization`. */
export class GrpcAuthorizer implements Authorizer {
  private readonly service: GrpcServiceData;
  private readonly callOuts: CallOuts;
  private readonly writer: CheckRequestWriter;
  private readonly metadata: readonly (readonly [string, string])[];

  constructor(service: GrpcServiceData, settings: CheckRequestSettings, callOuts: CallOuts) {
    this.service = service;
    this.callOuts = callOuts;
    this.writer = new CheckRequestWriter(settings);
    this.metadata = service.initialMetadata.map(({ key, value }) => [key, value] as const);
  }

  check(check: Check, done: (answer: CheckAnswer) => void): CallOut {
    return this.ask(this.writer.write(check), done, check.stream.trace ?? null);
  }

  /** About a connection whose bytes say nothing. As `check`. */
  checkConnection(peer: Peer, outcome: Outcome, done: (answer: CheckAnswer) => void): CallOut {
    return this.ask(this.writer.writeConnection(peer, outcome), done, null);
  }

  private ask(request: Uint8Array, done: (answer: CheckAnswer) => void, trace: CallTrace | null): CallOut {
    const { cluster, authority, timeoutMs, maxReceiveMessageLength: messageBytesMax } = this.service;
    const { skipEnvoyHeaders: skipsOwnHeaders } = this.service;
    const options = { timeoutMs, authority, metadata: this.metadata, messageBytesMax, skipsOwnHeaders, trace };
    return this.callOuts.grpc(cluster, path, request, options, {
      onAnswer: (message, span) => {
        const answer = read(message);
        span?.tag('ext_authz_status', answer.verdict === 'ok' ? 'ext_authz_ok' : 'ext_authz_unauthorized');
        done(answer);
      },
      onFailure: () => done(nothingSaid),
    });
  }
}

function read(message: Uint8Array): CheckAnswer {
  try {
    return readCheckResponse(message);
  } catch (error) {
    if (error instanceof WireError) return nothingSaid;
    throw error;
  }
}
