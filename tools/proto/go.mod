// Where the descriptors come from: `generate.ts` reads the file descriptors embedded in these modules' sources.
// Nothing here is compiled, so there is no Go file and every requirement is written by hand.
module sekisho.dev/tools/proto

go 1.25.0

require (
	cel.dev/expr v0.25.1
	github.com/cncf/xds/go v0.0.0-20260202195803-dba9d589def2
	github.com/envoyproxy/go-control-plane/envoy v1.39.0
	github.com/envoyproxy/protoc-gen-validate v1.3.3
	github.com/prometheus/client_model v0.6.2
	go.opentelemetry.io/proto/otlp v1.10.0
	google.golang.org/genproto/googleapis/api v0.0.0-20260414002931-afd174a4e478
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260414002931-afd174a4e478
)
