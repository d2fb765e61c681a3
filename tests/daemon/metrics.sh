#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Debian's Prometheus fetches the metrics and has their values; promtool finds nothing wrong in them.
set -euo pipefail
# shellcheck source=tests/commands/lib.sh
. "$(dirname "$0")/../commands/lib.sh"
need_root
need prometheus promtool curl jq

socket=$directory/socket
daemon=(--daemon="$socket")

listens() {
    "$ROLLCALL" stats "${daemon[@]}" >/dev/null 2>&1
}

start_daemon() {
    start "$tools/rollcalld" --socket "$socket" --journal "$directory/daemon.db" --name "$name" "$@"
    pid=$!
    wait_until "the daemon listens" listens
}

is_free() {
    ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

free_port() {
    local port=$1

    until is_free "$port"; do
        port=$((port + 1))
    done
    echo "$port"
}

# ---- on a port ----

port=$(free_port 29127)
start_daemon --metrics "127.0.0.1:$port" --keep-size 1G
"$ROLLCALL" record --quiet "${daemon[@]}" --name kept --until-idle "$directory/journal"
for _ in 1 2 3 4 5; do
    /bin/true
done

curl -sSf "http://127.0.0.1:$port/metrics" >"$directory/metrics"
promtool check metrics <"$directory/metrics" >"$directory/lint" 2>&1 ||
    fail "promtool: $(cat "$directory/lint")"
[ ! -s "$directory/lint" ] || fail "promtool: $(cat "$directory/lint")"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/")" = 404 ] ||
    fail "there is something else than the metrics"
[ "$(curl -s -o /dev/null -w '%{http_code}' -d x "http://127.0.0.1:$port/metrics")" = 405 ] ||
    fail "something can be sent to it"
curl -sSI "http://127.0.0.1:$port/metrics" | grep -qi '^content-type: text/plain; version=0.0.4' ||
    fail "the type is another one"

# ---- Prometheus ----

web=$(free_port 29200)
cat >"$directory/prometheus.yml" <<END
global:
  scrape_interval: 1s
scrape_configs:
  - job_name: rollcall
    static_configs:
      - targets: ['127.0.0.1:$port']
END
start prometheus --config.file="$directory/prometheus.yml" --storage.tsdb.path="$directory/tsdb" \
    --web.listen-address="127.0.0.1:$web" --log.level=error

# value EXPRESSION: what Prometheus has; empty if it has nothing.
value() {
    curl -sS --data-urlencode "query=$1" "http://127.0.0.1:$web/api/v1/query" 2>/dev/null |
        jq -r '.data.result[0].value[1] // empty' 2>/dev/null
}

is_scraped() {
    [ "$(value up)" = 1 ]
}

has_newest() {
    [ "$(value rollcall_events_total)" -ge "$newest" ]
}

wait_until "Prometheus has asked the daemon" is_scraped
for _ in 1 2 3 4 5; do
    /bin/true
done
newest=$("$ROLLCALL" stats "${daemon[@]}" --json | jq -s '.[0].last_seq')
wait_until "Prometheus has the newest number" has_newest
equal "lost" 0 "$(value 'sum(rollcall_lost_total)')"
equal "the limit of the journal" $((1 << 30)) "$(value rollcall_journal_limit_bytes)"
equal "who is away" 0 "$(value 'rollcall_consumer_connected{name="kept"}')"
[ "$(value 'rollcall_consumer_lag_events{name="kept"}')" -ge 10 ] || fail "its lag is not there"
equal "commits are counted" 1 "$(value 'rollcall_journal_commit_seconds_count > bool 0')"
equal "all commits are in the classes" 1 \
    "$(value 'rollcall_journal_commit_seconds_bucket{le="+Inf"} == bool on() rollcall_journal_commit_seconds_count')"
equal "it started not long ago" 1 "$(value 'time() - process_start_time_seconds < bool 600')"

# ---- changed while it runs, and at a path ----

send TERM "$pid"
end_of "$pid"
printf '[daemon]\nmetrics = 127.0.0.1:%d\n' "$port" >"$directory/config"
start_daemon --config "$directory/config"
curl -sSf "http://127.0.0.1:$port/metrics" >/dev/null
printf '[daemon]\nmetrics = %s\n' "$directory/metrics.socket" >"$directory/config"
send HUP "$pid"
at_path() {
    curl -sSf --unix-socket "$directory/metrics.socket" http://rollcall/metrics 2>/dev/null |
        grep -q '^rollcall_events_total '
}
wait_until "the metrics are at the path" at_path
is_free "$port" || fail "they are still at the port"
equal "who may ask there" 600 "$(stat -c %a "$directory/metrics.socket")"
send TERM "$pid"
end_of "$pid"
[ ! -e "$directory/metrics.socket" ] || fail "the socket is left"
