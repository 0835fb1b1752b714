#!/usr/bin/env bash
# Times whole processes on the same documents in one run: capv-ipam, `kpt fn eval --exec cat`, `kustomize build`. Prints ratios;
# a peer that is not installed, or takes longer than LIMIT seconds, is said and left out.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=${LIMIT:-300}
cargo build --release --quiet
ours=$PWD/target/release/capv-ipam
kpt=$(command -v kpt || ls /usr/lib/google-cloud-sdk/bin/kpt 2>/dev/null || true)
kustomize=$(command -v kustomize || ls "$(go env GOPATH 2>/dev/null)/bin/kustomize" 2>/dev/null || true)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

seconds() { # command… : wall seconds, or nothing when it fails or is too slow
  local start end
  start=$(date +%s.%N)
  timeout "$limit" "$@" >/dev/null 2>"$work/err" || return 1
  end=$(date +%s.%N)
  awk -v a="$start" -v b="$end" 'BEGIN { printf "%.3f", b - a }'
}

report() { # name seconds ours
  awk -v name="$1" -v peer="$2" -v own="$3" 'BEGIN { printf "  %-22s %9.3f s   %.0f times ours\n", name, peer, peer / own }'
}

cat > "$work/config.yaml" <<'YAML'
apiVersion: capv-ipam.dev/v1alpha1
kind: StaticAddressing
metadata: {name: bench}
spec:
  pools:
  - {name: bench, machines: [all], addresses: [10.0.0.1-10.0.255.254], prefix: 16}
YAML

for count in ${COUNTS:-1000 10000}; do
  mkdir -p "$work/$count"
  for ((i = 0; i < count; i++)); do
    if ((i % 100 == 0)); then
      printf -- '---\napiVersion: infrastructure.cluster.x-k8s.io/v1beta1\nkind: VSphereMachineTemplate\nmetadata:\n  name: c%d\nspec:\n  template:\n    spec:\n      network:\n        devices:\n        - dhcp4: true\n          networkName: Public\n      server: vcenter.example.com\n' "$i"
    elif ((i % 100 == 1)); then
      printf -- '---\napiVersion: controlplane.cluster.x-k8s.io/v1beta1\nkind: KubeadmControlPlane\nmetadata:\n  name: c%d\nspec:\n  replicas: 3\n  machineTemplate:\n    infrastructureRef:\n      apiVersion: infrastructure.cluster.x-k8s.io/v1beta1\n      kind: VSphereMachineTemplate\n      name: c%d\n' "$i" "$((i - 1))"
    else
      printf -- '---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings-%d\ndata:\n  settings: |\n    one: a value that nobody reads in this run\n    two: another value that nobody reads in this run\n    three: a third value that nobody reads in this run\n' "$i"
    fi
  done > "$work/$count/all.yaml"
  printf 'resources: [all.yaml]\n' > "$work/$count/kustomization.yaml"
  echo "$count documents, $(wc -c < "$work/$count/all.yaml") bytes"
  own=$(seconds "$ours" transform -f "$work/$count/all.yaml" --config "$work/config.yaml")
  printf '  %-22s %9.3f s\n' "capv-ipam transform" "$own"
  if [ -n "$kpt" ]; then
    peer=$(cd "$work/$count" && seconds "$kpt" fn eval --exec cat --output unwrap all.yaml) \
      && report "kpt fn eval --exec cat" "$peer" "$own" || echo "  kpt: more than $limit s, or it failed: $(head -c 200 "$work/err")"
    # What of a call by kpt is the function's own time.
    (cd "$work/$count" && "$kpt" fn eval --exec "tee $work/$count/list.yaml" --fn-config "$work/config.yaml" --output unwrap all.yaml > /dev/null 2>&1) || true
    if [ -s "$work/$count/list.yaml" ]; then
      share=$(seconds "$ours" fn < "$work/$count/list.yaml") && awk -v s="$share" -v p="${peer:-0}" \
        'BEGIN { printf "  %-22s %9.3f s   %.1f %% of kpt with cat\n", "capv-ipam fn", s, 100 * s / p }'
    fi
  else
    echo "  kpt is not installed: left out"
  fi
  if [ -n "$kustomize" ]; then
    peer=$(seconds "$kustomize" build "$work/$count") && report "kustomize build" "$peer" "$own" \
      || awk -v l="$limit" -v o="$own" 'BEGIN { printf "  kustomize build: stopped after %d s, more than %.0f times ours\n", l, l / o }'
  else
    echo "  kustomize is not installed: left out"
  fi
done
