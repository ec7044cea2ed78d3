/** Why a token is good or not. `code` and `text` are Envoy's: they go into metadata, bodies and response code details. */
export interface JwtStatus {
  readonly code: number;
  readonly text: string;
}

function status(code: number, text: string): JwtStatus {
  return { code, text };
}

/** Those of Envoy's that can come of a token here; what is wrong with a set of keys is told by `Jwks.problem`. */
export const JwtStatus = {
  Ok: status(0, 'OK'),
  Missing: status(1, 'Jwt is missing'),
  NotYetValid: status(2, 'Jwt not yet valid'),
  Expired: status(3, 'Jwt is expired'),
  BadFormat: status(4, 'Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections'),
  HeaderBadBase64: status(5, 'Jwt header is an invalid Base64url encoded'),
  HeaderBadJson: status(6, 'Jwt header is an invalid JSON'),
  HeaderBadAlg: status(7, 'Jwt header [alg] field is required and must be a string'),
  HeaderUnknownAlg: status(8, 'Jwt header [alg] is not supported'),
  HeaderBadKid: status(9, 'Jwt header [kid] field is not a string'),
  PayloadBadBase64: status(10, 'Jwt payload is an invalid Base64url encoded'),
  PayloadBadJson: status(11, 'Jwt payload is an invalid JSON'),
  IssuerNotString: status(12, 'Jwt payload [iss] field is not a string'),
  SubjectNotString: status(13, 'Jwt payload [sub] field is not a string'),
  IssuedAtNotInteger: status(14, 'Jwt payload [iat] field is not an integer'),
  IssuedAtOutOfRange: status(15, 'Jwt payload [iat] field is not a positive 64 bit integer'),
  NotBeforeNotInteger: status(16, 'Jwt payload [nbf] field is not an integer'),
  NotBeforeOutOfRange: status(17, 'Jwt payload [nbf] field is not a positive 64 bit integer'),
  ExpiresNotInteger: status(18, 'Jwt payload [exp] field is not an integer'),
  ExpiresOutOfRange: status(19, 'Jwt payload [exp] field is not a positive 64 bit integer'),
  IdNotString: status(20, 'Jwt payload [jti] field is not a string'),
  AudienceNotString: status(21, 'Jwt payload [aud] field is not a string or string list'),
  SignatureBadBase64: status(22, 'Jwt signature is an invalid Base64url encoded'),
  Ed25519WrongLength: status(23, 'Jwt ED25519 signature is wrong length'),
  UnknownIssuer: status(24, 'Jwt issuer is not configured'),
  AudienceNotAllowed: status(25, 'Audiences in Jwt are not allowed'),
  VerificationFailed: status(26, 'Jwt verification fails'),
  NoValidKeys: status(31, "Jwks doesn't have any valid public key"),
  NoMatchingKey: status(32, "Jwks doesn't have key to match kid or alg from Jwt"),
  FetchFailed: status(40, 'Jwks remote fetch is failed'),
} as const;
