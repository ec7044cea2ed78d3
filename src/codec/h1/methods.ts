/** Methods that Envoy knows (`isMethodValid` of its parser): others need `allow_custom_methods`. */
const methodList = `ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE
  MSEARCH NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND
  UNLINK UNLOCK UNSUBSCRIBE`;

/** From a method's spelling to its one string, internalised as `fieldNames` are. */
export const knownMethods: ReadonlyMap<string, string> = new Map(
  Object.keys(Object.fromEntries(methodList.split(/\s+/).map((name) => [name, true]))).map((name) => [name, name]),
);

/** Requests with these methods have no body unless they say so: Envoy sends them without `content-length: 0`. */
export function isBodiless(method: string): boolean {
  switch (method) {
    case 'GET':
    case 'HEAD':
    case 'DELETE':
    case 'TRACE':
    case 'CONNECT':
      return true;
    default:
      return false;
  }
}
