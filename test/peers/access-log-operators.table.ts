/**
 * What a real Envoy 1.39.3 logged for each command operator, as a value of a `json_format`, on four streams of one
 * configuration: a direct response, a gRPC answer from an upstream after a path rewrite, a refused upstream
 * connection, and a TCP connection. Columns: format, direct, upstream, refused, tcp.
 */
export const operatorTable = String.raw`
%ACCESS_LOG_TYPE% ⇥ "DownstreamEnd" ⇥ "DownstreamEnd" ⇥ "DownstreamEnd" ⇥ "TcpConnectionEnd"
%BYTES_RECEIVED% ⇥ 0 ⇥ 5 ⇥ 0 ⇥ 76
%BYTES_RETRANSMITTED% ⇥ 0 ⇥ 0 ⇥ 0 ⇥ 0
%BYTES_SENT% ⇥ 5 ⇥ 5 ⇥ 98 ⇥ 142
%CLUSTER_METADATA(com.test:k)% ⇥ null ⇥ "cv" ⇥ "cv" ⇥ "cv"
%COALESCE({"operators":["UPSTREAM_CLUSTER_RAW",{"command":"REQ","param":":authority","max_length":4}]})% ⇥ "127." ⇥ "up" ⇥ "refused" ⇥ "up"
%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)% ⇥ 391 ⇥ 11025 ⇥ 561 ⇥ null
%CONNECTION_ID% ⇥ 0 ⇥ 1 ⇥ 3 ⇥ 9
%CUSTOM_FLAGS% ⇥ "" ⇥ "" ⇥ "" ⇥ ""
%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED% ⇥ 166 ⇥ 103 ⇥ 54 ⇥ 0
%DOWNSTREAM_DECOMPRESSED_HEADER_BYTES_SENT% ⇥ 208 ⇥ 311 ⇥ 304 ⇥ 0
%DOWNSTREAM_DETECTED_CLOSE_TYPE% ⇥ "Normal" ⇥ "Normal" ⇥ "Normal" ⇥ "Normal"
%DOWNSTREAM_DIRECT_LOCAL_ADDRESS% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29903"
%DOWNSTREAM_DIRECT_LOCAL_ADDRESS_ENDPOINT_ID% ⇥ "" ⇥ "" ⇥ "" ⇥ ""
%DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT% ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1"
%DOWNSTREAM_DIRECT_LOCAL_PORT% ⇥ 29902 ⇥ 29902 ⇥ 29902 ⇥ 29903
%DOWNSTREAM_DIRECT_REMOTE_ADDRESS% ⇥ "127.0.0.1:59858" ⇥ "127.0.0.1:59870" ⇥ "127.0.0.1:59882" ⇥ "127.0.0.1:56142"
%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1"
%DOWNSTREAM_DIRECT_REMOTE_PORT% ⇥ 59858 ⇥ 59870 ⇥ 59882 ⇥ 56142
%DOWNSTREAM_HEADER_BYTES_RECEIVED% ⇥ 166 ⇥ 103 ⇥ 54 ⇥ 0
%DOWNSTREAM_HEADER_BYTES_SENT% ⇥ 208 ⇥ 311 ⇥ 304 ⇥ 0
%DOWNSTREAM_LOCAL_ADDRESS% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29903"
%DOWNSTREAM_LOCAL_ADDRESS_ENDPOINT_ID% ⇥ "" ⇥ "" ⇥ "" ⇥ ""
%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1"
%DOWNSTREAM_LOCAL_PORT% ⇥ 29902 ⇥ 29902 ⇥ 29902 ⇥ 29903
%DOWNSTREAM_REMOTE_ADDRESS% ⇥ "127.0.0.1:59858" ⇥ "127.0.0.1:59870" ⇥ "127.0.0.1:59882" ⇥ "127.0.0.1:56142"
%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1"
%DOWNSTREAM_REMOTE_PORT% ⇥ 59858 ⇥ 59870 ⇥ 59882 ⇥ 56142
%DOWNSTREAM_WIRE_BYTES_RECEIVED% ⇥ 234 ⇥ 143 ⇥ 79 ⇥ 76
%DOWNSTREAM_WIRE_BYTES_SENT% ⇥ 232 ⇥ 345 ⇥ 438 ⇥ 142
%DURATION% ⇥ 0 ⇥ 11 ⇥ 0 ⇥ 10
%DYNAMIC_METADATA(ns:key)% ⇥ "value" ⇥ "value" ⇥ "value" ⇥ null
%ENVIRONMENT(OBS_ENV)% ⇥ "envvalue" ⇥ "envvalue" ⇥ "envvalue" ⇥ "envvalue"
%FILTER_CHAIN_NAME% ⇥ "fc1" ⇥ "fc1" ⇥ "fc1" ⇥ "fc1"
%FILTER_STATE(fs.key)% ⇥ "fsval" ⇥ "fsval" ⇥ "fsval" ⇥ null
%GRPC_STATUS% ⇥ null ⇥ "NotFound" ⇥ null ⇥ null
%GRPC_STATUS_NUMBER% ⇥ null ⇥ 5 ⇥ null ⇥ null
%HOSTNAME% ⇥ "vm" ⇥ "vm" ⇥ "vm" ⇥ "vm"
%LOCAL_REPLY_BODY% ⇥ "" ⇥ "" ⇥ "" ⇥ ""
%METADATA(ROUTE:com.r:k)% ⇥ "rv" ⇥ "rv" ⇥ "rv" ⇥ null
%PACKETS_RETRANSMITTED% ⇥ 0 ⇥ 0 ⇥ 0 ⇥ 0
%PATH% ⇥ "/direct?q=abcdef&e=&q=second&x=%41%20b" ⇥ "/up/path?q=1" ⇥ "/down" ⇥ null
%PROTOCOL% ⇥ "HTTP/1.1" ⇥ "HTTP/1.1" ⇥ "HTTP/1.1" ⇥ null
%QUERY_PARAM(q)% ⇥ "abcdef" ⇥ "1" ⇥ null ⇥ null
%QUERY_PARAMS% ⇥ "q=abcdef&e=&q=second&x=%41%20b" ⇥ "q=1" ⇥ null ⇥ null
%REQ(:path)% ⇥ "/direct?q=abcdef&e=&q=second&x=%41%20b" ⇥ "/u/path?q=1" ⇥ "/down" ⇥ null
%REQUEST_DURATION% ⇥ null ⇥ 0 ⇥ 0 ⇥ null
%REQUEST_HEADER(user-agent)% ⇥ "agent-x" ⇥ "agent-x" ⇥ "agent-x" ⇥ null
%REQUEST_HEADERS_BYTES% ⇥ 336 ⇥ 403 ⇥ 314 ⇥ 0
%REQUEST_TX_DURATION% ⇥ null ⇥ 0 ⇥ null ⇥ null
%RESP(:status)% ⇥ "200" ⇥ "200" ⇥ "503" ⇥ null
%RESPONSE_CODE% ⇥ 200 ⇥ 200 ⇥ 503 ⇥ 0
%RESPONSE_CODE_DETAILS% ⇥ "direct_response" ⇥ "via_upstream" ⇥ "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}" ⇥ null
%RESPONSE_DURATION% ⇥ null ⇥ 4 ⇥ null ⇥ null
%RESPONSE_FLAGS% ⇥ "-" ⇥ "-" ⇥ "UF" ⇥ "-"
%RESPONSE_FLAGS_LONG% ⇥ "-" ⇥ "-" ⇥ "UpstreamConnectionFailure" ⇥ "-"
%RESPONSE_HEADER(content-type)% ⇥ "text/plain" ⇥ "application/grpc" ⇥ "text/plain" ⇥ null
%RESPONSE_HEADERS_BYTES% ⇥ 190 ⇥ 235 ⇥ 290 ⇥ 0
%RESPONSE_TRAILER(tr)% ⇥ null ⇥ "tval" ⇥ null ⇥ null
%RESPONSE_TRAILERS_BYTES% ⇥ 0 ⇥ 18 ⇥ 0 ⇥ 0
%RESPONSE_TX_DURATION% ⇥ null ⇥ 6 ⇥ null ⇥ null
%ROUTE_NAME% ⇥ "r-direct" ⇥ "r-up" ⇥ "r-down" ⇥ null
%START_TIME% ⇥ "2026-11-21T11:20:59.011Z" ⇥ "2026-11-21T11:20:59.022Z" ⇥ "2026-11-21T11:20:59.045Z" ⇥ "2026-11-21T11:20:59.313Z"
%START_TIME_LOCAL% ⇥ "2026-11-21T11:20:59.011+0000" ⇥ "2026-11-21T11:20:59.022+0000" ⇥ "2026-11-21T11:20:59.045+0000" ⇥ "2026-11-21T11:20:59.313+0000"
%STREAM_ID% ⇥ "25a5919a-d635-4c4c-9ab5-f4800a45d1e8" ⇥ "8b912bb0-eb93-4713-93dd-886037718fc0" ⇥ "f71dbec9-1cd8-4277-a861-8f62bbddca2b" ⇥ "fbd01e0f-f58f-4a54-85a8-b1bb6d65ea51"
%STREAM_INFO_REQ(:path)% ⇥ "/direct?q=abcdef&e=&q=second&x=%41%20b" ⇥ "/u/path?q=1" ⇥ "/down" ⇥ null
%TRAILER(tr)% ⇥ null ⇥ "tval" ⇥ null ⇥ null
%UPSTREAM_CLUSTER% ⇥ null ⇥ "up_alt" ⇥ "refused" ⇥ "up_alt"
%UPSTREAM_CLUSTER_RAW% ⇥ null ⇥ "up" ⇥ "refused" ⇥ "up"
%UPSTREAM_CONNECTION_ID% ⇥ 0 ⇥ 2 ⇥ 0 ⇥ 10
%UPSTREAM_CONNECTION_IDS_ATTEMPTED% ⇥ null ⇥ "2" ⇥ null ⇥ "10"
%UPSTREAM_CONNECTION_POOL_READY_DURATION% ⇥ null ⇥ 0 ⇥ 0 ⇥ 0
%UPSTREAM_DECOMPRESSED_HEADER_BYTES_RECEIVED% ⇥ 0 ⇥ 78 ⇥ 0 ⇥ 0
%UPSTREAM_DECOMPRESSED_HEADER_BYTES_SENT% ⇥ 0 ⇥ 407 ⇥ 0 ⇥ 0
%UPSTREAM_DETECTED_CLOSE_TYPE% ⇥ null ⇥ "Normal" ⇥ "Normal" ⇥ "Normal"
%UPSTREAM_FILTER_STATE(x)% ⇥ null ⇥ null ⇥ null ⇥ null
%UPSTREAM_HEADER_BYTES_RECEIVED% ⇥ 0 ⇥ 102 ⇥ 0 ⇥ 0
%UPSTREAM_HEADER_BYTES_SENT% ⇥ 0 ⇥ 407 ⇥ 0 ⇥ 0
%UPSTREAM_HOST% ⇥ null ⇥ "127.0.0.1:29904" ⇥ "127.0.0.1:29999" ⇥ "127.0.0.1:29904"
%UPSTREAM_HOSTS_ATTEMPTED% ⇥ null ⇥ "127.0.0.1:29904" ⇥ null ⇥ "127.0.0.1:29904"
%UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT% ⇥ null ⇥ "127.0.0.1" ⇥ null ⇥ "127.0.0.1"
%UPSTREAM_HOST_NAME% ⇥ null ⇥ "up.host.test:99" ⇥ "up.host.test:99" ⇥ "up.host.test:99"
%UPSTREAM_HOST_NAMES_ATTEMPTED% ⇥ null ⇥ "up.host.test:99" ⇥ null ⇥ "up.host.test:99"
%UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT% ⇥ null ⇥ "up.host.test" ⇥ null ⇥ "up.host.test"
%UPSTREAM_HOST_NAME_WITHOUT_PORT% ⇥ null ⇥ "up.host.test" ⇥ "up.host.test" ⇥ "up.host.test"
%UPSTREAM_LOCAL_ADDRESS% ⇥ null ⇥ "127.0.0.1:41796" ⇥ null ⇥ "127.0.0.1:41802"
%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT% ⇥ null ⇥ "127.0.0.1" ⇥ null ⇥ "127.0.0.1"
%UPSTREAM_LOCAL_PORT% ⇥ null ⇥ 41796 ⇥ null ⇥ 41802
%UPSTREAM_METADATA(com.h:k)% ⇥ null ⇥ "hv" ⇥ "hv" ⇥ "hv"
%UPSTREAM_PROTOCOL% ⇥ null ⇥ "HTTP/1.1" ⇥ null ⇥ null
%UPSTREAM_REMOTE_ADDRESS% ⇥ null ⇥ "127.0.0.1:29904" ⇥ null ⇥ "127.0.0.1:29904"
%UPSTREAM_REMOTE_ADDRESS_ENDPOINT_ID% ⇥ null ⇥ "" ⇥ null ⇥ ""
%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% ⇥ null ⇥ "127.0.0.1" ⇥ null ⇥ "127.0.0.1"
%UPSTREAM_REMOTE_PORT% ⇥ null ⇥ 29904 ⇥ null ⇥ 29904
%UPSTREAM_REQUEST_ATTEMPT_COUNT% ⇥ 0 ⇥ 1 ⇥ 1 ⇥ 1
%UPSTREAM_TRANSPORT_FAILURE_REASON% ⇥ null ⇥ null ⇥ "delayed_connect_error:_Connection_refused" ⇥ null
%UPSTREAM_WIRE_BYTES_RECEIVED% ⇥ 0 ⇥ 142 ⇥ 0 ⇥ 142
%UPSTREAM_WIRE_BYTES_SENT% ⇥ 0 ⇥ 441 ⇥ 0 ⇥ 76
%VIRTUAL_CLUSTER_NAME% ⇥ null ⇥ "vc1" ⇥ null ⇥ null
%PATH(WQ)% ⇥ "/direct?q=abcdef&e=&q=second&x=%41%20b" ⇥ "/up/path?q=1" ⇥ "/down" ⇥ null
%PATH(NQ)% ⇥ "/direct" ⇥ "/up/path" ⇥ "/down" ⇥ null
%PATH(NQ:ORIG)% ⇥ null ⇥ "/up/path" ⇥ null ⇥ null
%PATH(NQ:PATH)% ⇥ "/direct" ⇥ "/u/path" ⇥ "/down" ⇥ null
%PATH(NQ:ORIG_OR_PATH):3% ⇥ "/di" ⇥ "/up" ⇥ "/do" ⇥ null
%QUERY_PARAMS(ORIG)% ⇥ "q=abcdef&e=&q=second&x=%41%20b" ⇥ "q=1" ⇥ null ⇥ null
%QUERY_PARAMS(DECODED)% ⇥ "q=abcdef&e=&q=second&x=A%20b" ⇥ "q=1" ⇥ null ⇥ null
%QUERY_PARAM(q):2% ⇥ "ab" ⇥ "1" ⇥ null ⇥ null
%QUERY_PARAM(zz)% ⇥ null ⇥ null ⇥ null ⇥ null
%QUERY_PARAM(e)% ⇥ "" ⇥ null ⇥ null ⇥ null
%DYNAMIC_METADATA(ns)% ⇥ {"bool":true,"frac":"0.25","key":"value","list":[1,"a",null],"num":7,"obj":{"a":"y","b":"x"}} ⇥ {"bool":true,"frac":"0.25","key":"value","list":[1,"a",null],"num":7,"obj":{"a":"y","b":"x"}} ⇥ {"bool":true,"frac":"0.25","key":"value","list":[1,"a",null],"num":7,"obj":{"a":"y","b":"x"}} ⇥ null
%DYNAMIC_METADATA(ns:num)% ⇥ 7 ⇥ 7 ⇥ 7 ⇥ null
%DYNAMIC_METADATA(ns:obj:a)% ⇥ "y" ⇥ "y" ⇥ "y" ⇥ null
%DYNAMIC_METADATA(ns:obj)% ⇥ {"a":"y","b":"x"} ⇥ {"a":"y","b":"x"} ⇥ {"a":"y","b":"x"} ⇥ null
%DYNAMIC_METADATA(ns:key):2% ⇥ "va" ⇥ "va" ⇥ "va" ⇥ null
%DYNAMIC_METADATA(ns:list)% ⇥ [1,"a",null] ⇥ [1,"a",null] ⇥ [1,"a",null] ⇥ null
%DYNAMIC_METADATA(ns:bool)% ⇥ true ⇥ true ⇥ true ⇥ null
a %DYNAMIC_METADATA(ns:obj)% %DYNAMIC_METADATA(ns:num)% %DYNAMIC_METADATA(ns:bool)% %DYNAMIC_METADATA(ns:missing)% ⇥ "a {\"a\":\"y\",\"b\":\"x\"} 7 true -" ⇥ "a {\"a\":\"y\",\"b\":\"x\"} 7 true -" ⇥ "a {\"a\":\"y\",\"b\":\"x\"} 7 true -" ⇥ "a - - - -"
%DYNAMIC_METADATA(ns:obj):4% ⇥ {"a":"y","b":"x"} ⇥ {"a":"y","b":"x"} ⇥ {"a":"y","b":"x"} ⇥ null
%FILTER_STATE(fs.key:PLAIN)% ⇥ "fsval" ⇥ "fsval" ⇥ "fsval" ⇥ null
%FILTER_STATE(fs.key:TYPED)% ⇥ "fsval" ⇥ "fsval" ⇥ "fsval" ⇥ null
v=%FILTER_STATE(fs.key)% %FILTER_STATE(fs.key:PLAIN):2% ⇥ "v=\"fsval\" fs" ⇥ "v=\"fsval\" fs" ⇥ "v=\"fsval\" fs" ⇥ "v=- -"
%FILTER_STATE(fs.key:FIELD:a)% ⇥ null ⇥ null ⇥ null ⇥ null
%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)% ⇥ "127.0.0.0/24" ⇥ "127.0.0.0/24" ⇥ "127.0.0.0/24" ⇥ "127.0.0.0/24"
%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(0)% ⇥ "0.0.0.0/0" ⇥ "0.0.0.0/0" ⇥ "0.0.0.0/0" ⇥ "0.0.0.0/0"
%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(x)% ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1" ⇥ "127.0.0.1"
%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(33)% ⇥ "127.0.0.1/32" ⇥ "127.0.0.1/32" ⇥ "127.0.0.1/32" ⇥ "127.0.0.1/32"
%REQUESTED_SERVER_NAME(HOST_FIRST)% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ null
%REQUESTED_SERVER_NAME(SNI_FIRST)% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ null
%REQUESTED_SERVER_NAME(HOST_FIRST:ORIG)% ⇥ null ⇥ null ⇥ null ⇥ null
%START_TIME(%Y/%m/%dT%H:%M:%S%z %s)% ⇥ "2026/11/21T11:20:59+0000 1795260059" ⇥ "2026/11/21T11:20:59+0000 1795260059" ⇥ "2026/11/21T11:20:59+0000 1795260059" ⇥ "2026/11/21T11:20:59+0000 1795260059"
%START_TIME(%s.%3f)% ⇥ "1795260059.011" ⇥ "1795260059.022" ⇥ "1795260059.045" ⇥ "1795260059.313"
%START_TIME(%f %1f %2f %3f %4f %6f %9f %s%3f)% ⇥ "011610000 0 01 011 0116 011610 011610000 1795260059011" ⇥ "022900000 0 02 022 0229 022900 022900000 1795260059022" ⇥ "045286000 0 04 045 0452 045286 045286000 1795260059045" ⇥ "313239000 3 31 313 3132 313239 313239000 1795260059313"
%START_TIME(%a %A %b %B %c %C %d %D %e %F %g %G %h %H %I %j %k %l %m %M %p %P %r %R %S %T %u %U %V %w %W %x %X %y %Y %z %Z %E4Y %E3S %E6f %E*S %Ez %E*z %:z %::z %Q %10f %t %i %o %E4Q)% ⇥ "Sat Saturday Nov November Sat Nov 21 11:20:59 2026 20 21 11/21/26 21 2026-11-21 26 2026 Nov 11 11 325 11 11 11 20 AM am 11:20:59 AM 11:20 59 11:20:59 6 46 47 6 46 11/21/26 11:20:59 26 2026 +0000 UTC 2026 59.011 011610 59.01161 +00:00 +00:00:00 +00:00 +00:00:00 %Q       %10f \t %i %o %E4Q" ⇥ "Sat Saturday Nov November Sat Nov 21 11:20:59 2026 20 21 11/21/26 21 2026-11-21 26 2026 Nov 11 11 325 11 11 11 20 AM am 11:20:59 AM 11:20 59 11:20:59 6 46 47 6 46 11/21/26 11:20:59 26 2026 +0000 UTC 2026 59.022 022900 59.0229 +00:00 +00:00:00 +00:00 +00:00:00 %Q       %10f \t %i %o %E4Q" ⇥ "Sat Saturday Nov November Sat Nov 21 11:20:59 2026 20 21 11/21/26 21 2026-11-21 26 2026 Nov 11 11 325 11 11 11 20 AM am 11:20:59 AM 11:20 59 11:20:59 6 46 47 6 46 11/21/26 11:20:59 26 2026 +0000 UTC 2026 59.045 045286 59.045286 +00:00 +00:00:00 +00:00 +00:00:00 %Q       %10f \t %i %o %E4Q" ⇥ "Sat Saturday Nov November Sat Nov 21 11:20:59 2026 20 21 11/21/26 21 2026-11-21 26 2026 Nov 11 11 325 11 11 11 20 AM am 11:20:59 AM 11:20 59 11:20:59 6 46 47 6 46 11/21/26 11:20:59 26 2026 +0000 UTC 2026 59.313 313239 59.313239 +00:00 +00:00:00 +00:00 +00:00:00 %Q       %10f \t %i %o %E4Q"
%START_TIME(plain)% ⇥ "plain" ⇥ "plain" ⇥ "plain" ⇥ "plain"
%START_TIME(a%%b)% ⇥ "a%b" ⇥ "a%b" ⇥ "a%b" ⇥ "a%b"
%START_TIME(100%)% ⇥ "100%" ⇥ "100%" ⇥ "100%" ⇥ "100%"
%COMMON_DURATION(DS_RX_BEG:DS_RX_END)% ⇥ null ⇥ 0 ⇥ 0 ⇥ null
%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:ns)% ⇥ null ⇥ 772843 ⇥ null ⇥ null
%COMMON_DURATION(US_CX_BEG:US_CX_END:us)% ⇥ null ⇥ 98 ⇥ null ⇥ 103
%COMMON_DURATION(US_RX_BEG:US_RX_END:us)% ⇥ null ⇥ 6631 ⇥ null ⇥ null
%COMMON_DURATION(DS_TX_BEG:DS_TX_END:us)% ⇥ 18 ⇥ 6424 ⇥ 10 ⇥ null
%COMMON_DURATION(DS_TX_END:DS_RX_BEG)% ⇥ null ⇥ null ⇥ null ⇥ null
%COMMON_DURATION(FOO:BAR)% ⇥ null ⇥ null ⇥ null ⇥ null
%COMMON_DURATION(DS_RX_BEG:US_RX_BODY_BEG:us)% ⇥ null ⇥ 10886 ⇥ null ⇥ null
%COMMON_DURATION(DS_RX_BEG:US_HS_END:us)% ⇥ null ⇥ null ⇥ null ⇥ null
%COMMON_DURATION(US_TX_BEG:US_TX_END:us)% ⇥ null ⇥ 5 ⇥ null ⇥ null
%REQ(x-none?:authority)% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ null
%REQ(x-none?x-none2)% ⇥ null ⇥ null ⇥ null ⇥ null
%REQ(USER-AGENT):4% ⇥ "agen" ⇥ "agen" ⇥ "agen" ⇥ null
%REQ(USER-AGENT):0% ⇥ "" ⇥ "" ⇥ "" ⇥ null
%REQ(x-multi)% ⇥ "a" ⇥ null ⇥ null ⇥ null
%REQ(x-empty)% ⇥ "" ⇥ null ⇥ null ⇥ null
%REQ(x-empty?:path)% ⇥ "" ⇥ "/u/path?q=1" ⇥ "/down" ⇥ null
%REQ(host)% ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ "127.0.0.1:29902" ⇥ null
%REQ(x-bin)% ⇥ "a\u0022\u005c\u0009\u00e9\u00ff" ⇥ null ⇥ null ⇥ null
<%REQ(x-bin)%> ⇥ "<a\u0022\u005c\u0009\u00e9\u00ff>" ⇥ "<->" ⇥ "<->" ⇥ "<->"
%GRPC_STATUS(NUMBER)% ⇥ null ⇥ 5 ⇥ null ⇥ null
%GRPC_STATUS(SNAKE_STRING)% ⇥ null ⇥ "NOT_FOUND" ⇥ null ⇥ null
%GRPC_STATUS(CAMEL_STRING)% ⇥ null ⇥ "NotFound" ⇥ null ⇥ null
%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)% ⇥ "direct_response" ⇥ "via_upstream" ⇥ "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}" ⇥ null
%RESPONSE_CODE_DETAILS(foo)% ⇥ "direct_response" ⇥ "via_upstream" ⇥ "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}" ⇥ null
%METADATA(CLUSTER:com.test:k)% ⇥ null ⇥ "cv" ⇥ "cv" ⇥ "cv"
%METADATA(ROUTE:com.r:k)% ⇥ "rv" ⇥ "rv" ⇥ "rv" ⇥ null
%METADATA(ROUTE:com.r)% ⇥ {"k":"rv","n":3} ⇥ {"k":"rv","n":3} ⇥ {"k":"rv","n":3} ⇥ null
%METADATA(VIRTUAL_HOST:com.v:k)% ⇥ "vv" ⇥ "vv" ⇥ "vv" ⇥ null
%METADATA(UPSTREAM_HOST:com.h:k)% ⇥ null ⇥ "hv" ⇥ "hv" ⇥ "hv"
%METADATA(LISTENER:com.l:k)% ⇥ "lv" ⇥ "lv" ⇥ "lv" ⇥ "lv"
%METADATA(DYNAMIC:ns:num)% ⇥ 7 ⇥ 7 ⇥ 7 ⇥ null
%METADATA(LISTENER_FILTER_CHAIN:com.f:k)% ⇥ "fv" ⇥ "fv" ⇥ "fv" ⇥ "fv"
%UPSTREAM_METADATA(["com.h","k"])% ⇥ null ⇥ null ⇥ null ⇥ null
%ENVIRONMENT(OBS_NOPE)% ⇥ "-" ⇥ "-" ⇥ "-" ⇥ "-"
%ENVIRONMENT(OBS_ENV):2% ⇥ "en" ⇥ "en" ⇥ "en" ⇥ "en"
%PROTOCOL%|%REQ(x-none)% ⇥ "HTTP/1.1|-" ⇥ "HTTP/1.1|-" ⇥ "HTTP/1.1|-" ⇥ "-|-"
100%% ⇥ "100%" ⇥ "100%" ⇥ "100%" ⇥ "100%"
%PROTOCOL%%% ⇥ "HTTP/1.1%" ⇥ "HTTP/1.1%" ⇥ "HTTP/1.1%" ⇥ "-%"
%REQ(:method)% ⇥ "POST" ⇥ "POST" ⇥ "GET" ⇥ null
%REQ(:method)% %REQ(x-none)%%REQ(:scheme)% ⇥ "POST -http" ⇥ "POST -http" ⇥ "GET -http" ⇥ "- --"
%COALESCE({"operators":[{"command":"REQ","param":"x-empty"},{"command":"REQ","param":"x-none"},{"command":"REQ","param":"user-agent"}]}):5% ⇥ "agent" ⇥ "agent" ⇥ "agent" ⇥ null
%COALESCE({"operators":["UPSTREAM_PEER_SUBJECT"]})% ⇥ null ⇥ null ⇥ null ⇥ null
%COALESCE({"operators":["RESPONSE_CODE"]})% ⇥ 200 ⇥ 200 ⇥ 503 ⇥ 0
%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)% ⇥ "/direct" ⇥ "/up/path" ⇥ "/down" ⇥ null
%REQ_WITHOUT_QUERY(:PATH):3% ⇥ "/di" ⇥ "/u/" ⇥ "/do" ⇥ null
`;

/** Empty on all four: operators of TLS, of tracing, and those whose value these streams do not have. */
export const emptyOperators: readonly string[] = [
  '%CONNECTION_TERMINATION_DETAILS%',
  '%DOWNSTREAM_HANDSHAKE_DURATION%',
  '%DOWNSTREAM_LOCAL_CLOSE_REASON%',
  '%DOWNSTREAM_LOCAL_DNS_SAN%',
  '%DOWNSTREAM_LOCAL_EMAIL_SAN%',
  '%DOWNSTREAM_LOCAL_IP_SAN%',
  '%DOWNSTREAM_LOCAL_OTHERNAME_SAN%',
  '%DOWNSTREAM_LOCAL_SUBJECT%',
  '%DOWNSTREAM_LOCAL_URI_SAN%',
  '%DOWNSTREAM_PEER_CERT%',
  '%DOWNSTREAM_PEER_CERT_V_END%',
  '%DOWNSTREAM_PEER_CERT_V_START%',
  '%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_1%',
  '%DOWNSTREAM_PEER_CHAIN_FINGERPRINTS_256%',
  '%DOWNSTREAM_PEER_CHAIN_SERIALS%',
  '%DOWNSTREAM_PEER_DNS_SAN%',
  '%DOWNSTREAM_PEER_EMAIL_SAN%',
  '%DOWNSTREAM_PEER_FINGERPRINT_1%',
  '%DOWNSTREAM_PEER_FINGERPRINT_256%',
  '%DOWNSTREAM_PEER_IP_SAN%',
  '%DOWNSTREAM_PEER_ISSUER%',
  '%DOWNSTREAM_PEER_ISSUER_FINGERPRINT_256%',
  '%DOWNSTREAM_PEER_ISSUER_SERIAL%',
  '%DOWNSTREAM_PEER_OTHERNAME_SAN%',
  '%DOWNSTREAM_PEER_SERIAL%',
  '%DOWNSTREAM_PEER_SUBJECT%',
  '%DOWNSTREAM_PEER_URI_SAN%',
  '%DOWNSTREAM_TLS_CIPHER%',
  '%DOWNSTREAM_TLS_GROUP%',
  '%DOWNSTREAM_TLS_SESSION_ID%',
  '%DOWNSTREAM_TLS_VERSION%',
  '%DOWNSTREAM_TRANSPORT_FAILURE_REASON%',
  '%REQUESTED_SERVER_NAME%',
  '%ROUNDTRIP_DURATION%',
  '%SPAN_ID%',
  '%TLS_JA3_FINGERPRINT%',
  '%TLS_JA4_FINGERPRINT%',
  '%TRACE_ID%',
  '%UPSTREAM_LOCAL_CLOSE_REASON%',
  '%UPSTREAM_LOCAL_DNS_SAN%',
  '%UPSTREAM_LOCAL_IP_SAN%',
  '%UPSTREAM_LOCAL_URI_SAN%',
  '%UPSTREAM_PEER_CERT%',
  '%UPSTREAM_PEER_CERT_V_END%',
  '%UPSTREAM_PEER_CERT_V_START%',
  '%UPSTREAM_PEER_DNS_SAN%',
  '%UPSTREAM_PEER_IP_SAN%',
  '%UPSTREAM_PEER_ISSUER%',
  '%UPSTREAM_PEER_SUBJECT%',
  '%UPSTREAM_PEER_URI_SAN%',
  '%UPSTREAM_SERVER_NAME%',
  '%UPSTREAM_TLS_CIPHER%',
  '%UPSTREAM_TLS_GROUP%',
  '%UPSTREAM_TLS_SESSION_ID%',
  '%UPSTREAM_TLS_VERSION%',
];

export interface OperatorRow {
  readonly format: string;
  readonly direct: string;
  readonly upstream: string;
  readonly refused: string;
  readonly tcp: string;
}

export const operatorRows: readonly OperatorRow[] = operatorTable
  .trim()
  .split('\n')
  .map((line) => {
    const [format, direct, upstream, refused, tcp] = line.split(' ⇥ ') as [string, string, string, string, string];
    return { format, direct, upstream, refused, tcp };
  });
