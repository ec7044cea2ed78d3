// A control plane on go-control-plane's snapshot cache and server, for tests: takes commands from standard input, one
// JSON object a line, and tells every request and stream on standard output, in the same form.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sort"
	"sync"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	core "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/header_mutation/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/on_demand/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/router/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/listener/http_inspector/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/direct_response/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/http_connection_manager/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/network/tcp_proxy/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	_ "github.com/envoyproxy/go-control-plane/envoy/extensions/upstreams/http/v3"
	clusterservice "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	endpointservice "github.com/envoyproxy/go-control-plane/envoy/service/endpoint/v3"
	extensionservice "github.com/envoyproxy/go-control-plane/envoy/service/extension/v3"
	listenerservice "github.com/envoyproxy/go-control-plane/envoy/service/listener/v3"
	routeservice "github.com/envoyproxy/go-control-plane/envoy/service/route/v3"
	runtimev3 "github.com/envoyproxy/go-control-plane/envoy/service/runtime/v3"
	secretservice "github.com/envoyproxy/go-control-plane/envoy/service/secret/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/sotw/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// What the tests say. Resources are in JSON, by the last part of their type.
type command struct {
	Version   string                       `json:"version"`
	Resources map[string][]json.RawMessage `json:"resources"`
	// Milliseconds that resources live, by the last part of their type.
	Ttls map[string]int `json:"ttls"`
	// Every connection is closed. Away: and nobody can connect, until one comes with Disconnect.
	Disconnect bool `json:"disconnect"`
	Away       bool `json:"away"`
}

// What the tests hear.
type event struct {
	Kind        string            `json:"kind"`
	Stream      int64             `json:"stream"`
	Method      string            `json:"method,omitempty"`
	Type        string            `json:"type,omitempty"`
	Version     string            `json:"version,omitempty"`
	Nonce       string            `json:"nonce,omitempty"`
	Names       []string          `json:"names,omitempty"`
	Unsubscribe []string          `json:"unsubscribe,omitempty"`
	Initial     map[string]string `json:"initial,omitempty"`
	Code        int32             `json:"code,omitempty"`
	Error       string            `json:"error,omitempty"`
	Port        int               `json:"port,omitempty"`
}

var output sync.Mutex

func tell(one event) {
	sort.Strings(one.Names)
	sort.Strings(one.Unsubscribe)
	line, _ := json.Marshal(one)
	output.Lock()
	defer output.Unlock()
	fmt.Println(string(line))
}

type callbacks struct{}

func (callbacks) OnStreamOpen(_ context.Context, id int64, method string) error {
	tell(event{Kind: "open", Stream: id, Method: method})
	return nil
}
func (callbacks) OnStreamClosed(id int64, _ *core.Node) { tell(event{Kind: "close", Stream: id}) }
func (callbacks) OnDeltaStreamOpen(_ context.Context, id int64, method string) error {
	tell(event{Kind: "open", Stream: id, Method: method})
	return nil
}
func (callbacks) OnDeltaStreamClosed(id int64, _ *core.Node) { tell(event{Kind: "close", Stream: id}) }

func (callbacks) OnStreamRequest(id int64, r *discovery.DiscoveryRequest) error {
	tell(event{Kind: "request", Stream: id, Type: r.TypeUrl, Version: r.VersionInfo, Nonce: r.ResponseNonce,
		Names: append([]string{}, r.ResourceNames...),
		Code:  r.ErrorDetail.GetCode(), Error: r.ErrorDetail.GetMessage()})
	return nil
}
func (callbacks) OnStreamDeltaRequest(id int64, r *discovery.DeltaDiscoveryRequest) error {
	tell(event{Kind: "request", Stream: id, Type: r.TypeUrl, Nonce: r.ResponseNonce,
		Names: append([]string{}, r.ResourceNamesSubscribe...), Unsubscribe: append([]string{}, r.ResourceNamesUnsubscribe...),
		Initial: r.InitialResourceVersions,
		Code:    r.ErrorDetail.GetCode(), Error: r.ErrorDetail.GetMessage()})
	return nil
}
func (callbacks) OnStreamResponse(_ context.Context, id int64, _ *discovery.DiscoveryRequest, r *discovery.DiscoveryResponse) {
	tell(event{Kind: "response", Stream: id, Type: r.TypeUrl, Version: r.VersionInfo, Nonce: r.Nonce})
}
func (callbacks) OnStreamDeltaResponse(id int64, _ *discovery.DeltaDiscoveryRequest, r *discovery.DeltaDiscoveryResponse) {
	names := []string{}
	for _, one := range r.Resources {
		names = append(names, one.Name)
	}
	tell(event{Kind: "response", Stream: id, Type: r.TypeUrl, Version: r.SystemVersionInfo, Nonce: r.Nonce, Names: names,
		Unsubscribe: append([]string{}, r.RemovedResources...)})
}
func (callbacks) OnFetchRequest(context.Context, *discovery.DiscoveryRequest) error         { return nil }
func (callbacks) OnFetchResponse(*discovery.DiscoveryRequest, *discovery.DiscoveryResponse) {}

// Every client is one node.
type oneNode struct{}

func (oneNode) ID(*core.Node) string { return "" }

func parse(kind string, text json.RawMessage) (types.Resource, resource.Type, error) {
	var message proto.Message
	var typeURL resource.Type
	switch kind {
	case "Cluster":
		message, typeURL = &clusterv3.Cluster{}, resource.ClusterType
	case "ClusterLoadAssignment":
		message, typeURL = &endpointv3.ClusterLoadAssignment{}, resource.EndpointType
	case "Listener":
		message, typeURL = &listenerv3.Listener{}, resource.ListenerType
	case "RouteConfiguration":
		message, typeURL = &routev3.RouteConfiguration{}, resource.RouteType
	case "ScopedRouteConfiguration":
		message, typeURL = &routev3.ScopedRouteConfiguration{}, resource.ScopedRouteType
	case "VirtualHost":
		message, typeURL = &routev3.VirtualHost{}, resource.VirtualHostType
	case "Secret":
		message, typeURL = &tlsv3.Secret{}, resource.SecretType
	case "TypedExtensionConfig":
		message, typeURL = &core.TypedExtensionConfig{}, resource.ExtensionConfigType
	case "Runtime":
		message, typeURL = &runtimev3.Runtime{}, resource.RuntimeType
	default:
		return nil, "", fmt.Errorf("unknown kind %s", kind)
	}
	return message, typeURL, protojson.Unmarshal(text, message)
}

func snapshotOf(one command) (*cache.Snapshot, error) {
	all := map[resource.Type][]types.ResourceWithTTL{}
	for kind, texts := range one.Resources {
		for _, text := range texts {
			message, typeURL, err := parse(kind, text)
			if err != nil {
				return nil, err
			}
			with := types.ResourceWithTTL{Resource: message}
			if ms := one.Ttls[kind]; ms > 0 {
				ttl := time.Duration(ms) * time.Millisecond
				with.TTL = &ttl
			}
			all[typeURL] = append(all[typeURL], with)
		}
	}
	return cache.NewSnapshotWithTTLs(one.Version, all)
}

func serve(listener net.Listener, snapshots cache.SnapshotCache) *grpc.Server {
	grpcServer := grpc.NewServer()
	xds := server.NewServer(context.Background(), snapshots, callbacks{}, sotw.WithOrderedADS())
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, xds)
	clusterservice.RegisterClusterDiscoveryServiceServer(grpcServer, xds)
	endpointservice.RegisterEndpointDiscoveryServiceServer(grpcServer, xds)
	listenerservice.RegisterListenerDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterRouteDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterScopedRoutesDiscoveryServiceServer(grpcServer, xds)
	routeservice.RegisterVirtualHostDiscoveryServiceServer(grpcServer, xds)
	secretservice.RegisterSecretDiscoveryServiceServer(grpcServer, xds)
	extensionservice.RegisterExtensionConfigDiscoveryServiceServer(grpcServer, xds)
	runtimev3.RegisterRuntimeDiscoveryServiceServer(grpcServer, xds)
	go func() { _ = grpcServer.Serve(listener) }()
	return grpcServer
}

func listen(address string) net.Listener {
	for {
		listener, err := net.Listen("tcp", address)
		if err == nil {
			return listener
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func main() {
	// Over ADS nothing is told before all of a type is asked for.
	isAds := len(os.Args) < 2 || os.Args[1] != "own"
	// A heartbeat for what has a time to live.
	snapshots := cache.NewSnapshotCacheWithHeartbeating(context.Background(), isAds, oneNode{}, nil, 100*time.Millisecond)
	listener := listen("127.0.0.1:0")
	address := listener.Addr().String()
	running := serve(listener, snapshots)
	tell(event{Kind: "ready", Port: listener.Addr().(*net.TCPAddr).Port})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var one command
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if one.Disconnect || one.Away {
			running.Stop()
			if one.Away {
				tell(event{Kind: "away"})
				continue
			}
			running = serve(listen(address), snapshots)
			tell(event{Kind: "disconnected"})
			continue
		}
		snapshot, err := snapshotOf(one)
		if err == nil {
			err = snapshots.SetSnapshot(context.Background(), "", snapshot)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		tell(event{Kind: "set", Version: one.Version})
	}
}
