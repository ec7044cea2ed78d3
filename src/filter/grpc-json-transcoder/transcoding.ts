import type { ResponseHead } from '../../core/head.ts';
import type { RequestTranslation } from './request/request-translation.ts';
import type { ResponseTranslation } from './response/response-translation.ts';
import type { MethodPlan } from './schema/method-plan.ts';
import type { TranscoderSettings } from './transcoder-settings.ts';

/** One request that is a gRPC call, and its response. */
export class Transcoding {
  readonly settings: TranscoderSettings;
  readonly method: MethodPlan;
  readonly request: RequestTranslation;
  /** Null until gRPC answers. */
  response: ResponseTranslation | null;
  responseHead: ResponseHead | null;
  /** The response's head waits for what its body says. */
  isHeadHeld: boolean;
  /** Some of the response's body has come. */
  hasBody: boolean;
  /** Answered otherwise than by gRPC: nothing is translated any more. */
  isOver: boolean;
  /** What the gauges have been told. */
  requestHeld: number;
  responseHeld: number;

  constructor(settings: TranscoderSettings, method: MethodPlan, request: RequestTranslation) {
    this.settings = settings;
    this.method = method;
    this.request = request;
    this.response = null;
    this.responseHead = null;
    this.isHeadHeld = false;
    this.hasBody = false;
    this.isOver = false;
    this.requestHeld = 0;
    this.responseHeld = 0;
  }
}
