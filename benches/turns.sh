#!/usr/bin/env bash
# Measures turns: bare servers, and Kiungo over Redis and in memory, one after the other on this machine, in one table.
#
#   make bench                 three to four minutes after the build
#   BENCH_LARGE=1 make bench   up to a million live dialogs instead of a hundred thousand
#   BENCH_SECONDS=20 ...       how long each speed is measured (default 4)
#
# The server has one core to itself, the generator (kiungo load) and Redis share another. All figures of a run belong together;
# those of two runs, or of two machines, do not. BENCH_DIALOGS="10 1000" sets how many dialogs are live.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

CARGO=${CARGO:-cargo}
SECONDS_EACH=${BENCH_SECONDS:-4}
if [ -n "${BENCH_LARGE:-}" ]; then LARGEST=1000000; else LARGEST=100000; fi
DIALOGS=${BENCH_DIALOGS:-10 10000 $LARGEST}
CALLERS=32
FIXED_RATE=1000
DIALOG_RATE=500
BIN=${CARGO_TARGET_DIR:-target}/release
# Nobody is turned away: what is measured is what a turn costs, not where a server stops taking them.
export KIUNGO_LIMITS__TURNS_PER_SECOND=100000 KIUNGO_LIMITS__BURST=1000000 KIUNGO_LIMITS__PERSON_TURNS_PER_MINUTE=6000
# What a node writes when it is left alone, to a file as under a supervisor.
export KIUNGO_LOG__LEVEL=${KIUNGO_LOG__LEVEL:-info}

say() { echo "$*" >&2; }

missing=()
for program in redis-server redis-cli curl jq; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "The benchmark needs these programs, under whatever name your system has for them: ${missing[*]}"
    exit 1
fi

DIR=$(mktemp -d)
SERVER='' REDIS=''
# shellcheck disable=SC2317
clean_up() {
    for process in $SERVER $REDIS; do
        kill "$process" 2>/dev/null || true
        wait "$process" 2>/dev/null || true
    done
    rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# The cores that this process may use, of which there can be fewer than the machine has.
cores() {
    taskset -pc $$ | sed 's/.*: //' | tr ',' '\n' | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}
ON_SERVER=() ON_REST=()
PINNED='not pinned: there is one core, or no taskset, so server and generator take from each other'
if command -v taskset >/dev/null && [ "$(cores | wc -l)" -ge 2 ]; then
    { read -r one; read -r other; } < <(cores)
    ON_SERVER=(taskset -c "$one") ON_REST=(taskset -c "$other")
    PINNED="server on core $one, generator and Redis on core $other"
fi

free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 10000))
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
    done
    echo "$port"
}

say "building (release) ..."
"$CARGO" build --locked --release --features bare-server --bin kiungo --bin bare-server >&2

REDIS_PORT=$(free_port)
"${ON_REST[@]}" redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --dir "$DIR" --save '' --appendonly yes \
    --appendfsync everysec --maxmemory-policy noeviction --logfile "$DIR/redis.log" &
REDIS=$!
redis() { redis-cli -p "$REDIS_PORT" "$@"; }
until [ "$(redis ping 2>/dev/null)" = PONG ]; do kill -0 "$REDIS"; sleep 0.05; done
REDIS_URL=redis://127.0.0.1:$REDIS_PORT

# Starts a server, and waits until it is ready; READY_MS is how long that took from exec.
start() { # PORT COMMAND...
    local port=$1 began
    shift
    began=$EPOCHREALTIME
    "${ON_SERVER[@]}" "$@" >>"$DIR/server.log" 2>&1 &
    SERVER=$!
    until answers_ready "$port"; do
        kill -0 "$SERVER" 2>/dev/null || { tail -n 20 "$DIR/server.log" >&2; exit 1; }
        sleep 0.002
    done
    READY_MS=$(awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.0f", (b - a) * 1000 }')
    URL=http://127.0.0.1:$port/ussd/sandbox/sandbox
}

# No program is started for this: that would take longer than what is waited for.
answers_ready() {
    local status=''
    { exec 3<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return 1
    printf 'GET /health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' >&3
    read -r -t 5 status <&3 || true
    exec 3>&-
    [[ $status == *' 200 '* ]]
}

stop() {
    kill "$SERVER"
    wait "$SERVER" 2>/dev/null || true
    SERVER=''
}

kiungo_on() { # STORE DATA
    local port
    port=$(free_port)
    start "$port" env KIUNGO_SERVER__LISTEN="127.0.0.1:$port" KIUNGO_STORE__URL="$1" "$BIN/kiungo" --data "$2"
}

# Clock ticks of the server, user and system.
ticks() { sed 's/.*) //' "/proc/$SERVER/stat" | awk '{ print $12 + $13 }'; }
resident_kib() { awk '/^VmRSS/ { print $2 }' "/proc/$SERVER/status"; }
HZ=$(getconf CLK_TCK)

# Drives turns; MEASURED has the figures, CPU_US the server's processor time for one turn. FIRST counts on, so that each
# measurement has people who have not called yet.
FIRST=0
load() {
    local before after
    before=$(ticks)
    if ! MEASURED=$("${ON_REST[@]}" "$BIN/kiungo" load --url "$URL" --json "$@" 2>"$DIR/load.log"); then
        say "turns failed: $(jq -c .errors <<<"$MEASURED") $(tail -n 1 "$DIR/load.log")"
        FAILED=yes
    fi
    after=$(ticks)
    CPU_US=$(awk -v t=$((after - before)) -v hz="$HZ" -v n="$(figure .turns)" 'BEGIN { printf "%.1f", n ? t / hz * 1e6 / n : 0 }')
}
fresh() { load --first "$FIRST" --people 100000 "$@"; FIRST=$((FIRST + 100000)); }
figure() { jq -r "$1" <<<"$MEASURED"; }
FAILED=''

# One row of the table: NAME, turns a second and CPU in a closed loop, p50 and p99 at the fixed rate, resident memory.
row() {
    local name=$1 rate cpu
    say "measuring: $name ..."
    fresh --seconds 1 --callers "$CALLERS"
    fresh --seconds "$SECONDS_EACH" --callers "$CALLERS"
    rate=$(figure .turns_per_second) cpu=$CPU_US
    fresh --seconds "$SECONDS_EACH" --rate "$FIXED_RATE" --callers "$CALLERS"
    printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$name" "$rate" "$cpu" "$(figure .latency_ms.p50)" "$(figure .latency_ms.p99)" \
        "$(resident_kib)" >>"$DIR/rows"
}

port=$(free_port)
start "$port" "$BIN/bare-server" "127.0.0.1:$port"
row '(a) bare, constant answer'
stop
port=$(free_port)
start "$port" "$BIN/bare-server" "127.0.0.1:$port" "$REDIS_URL"
row '(b) bare, GET and SET of 1 KiB'
stop
redis flushall >/dev/null
kiungo_on "$REDIS_URL" "$DIR/redis-data"
STARTED=("$READY_MS")
row '(c) Kiungo over Redis'
stop
redis flushall >/dev/null
kiungo_on memory: "$DIR/memory-data"
row '(d) Kiungo in memory'
stop

say "measuring: starts on files that are there ..."
for _ in 1 2 3; do
    kiungo_on "$REDIS_URL" "$DIR/redis-data"
    STARTED+=("$READY_MS")
    stop
done

# Bytes of a live dialog: all keys of people who are in the middle of the list of banks.
PEOPLE=200
kiungo_on "$REDIS_URL" "$DIR/redis-data"
redis flushall >/dev/null
load --first 9000000 --people "$PEOPLE" --turns 3 --once
redis --scan --pattern 'kg:*' >"$DIR/keys"
BYTES=$(sed 's/.*/memory usage "&"/' "$DIR/keys" | redis |
    awk -v n="$PEOPLE" '{ sum += $1 } END { printf "%.0f bytes in %.1f keys", sum / n, NR / n }')
stop
redis flushall >/dev/null

# What a turn costs, and what is resident, with so many dialogs live.
dialogs() { # NAME STORE
    local live=0 count rest
    kiungo_on "$2" "$DIR/dialogs-data"
    # What the start needed is given back after a while.
    sleep 3
    rest=$(resident_kib)
    for count in $DIALOGS; do
        say "measuring: $1 with $count live dialogs ..."
        if [ "$count" -gt "$live" ]; then
            load --first "$live" --people $((count - live)) --turns 1 --once
            live=$count
        fi
        resident=$(resident_kib)
        load --people "$count" --rate "$DIALOG_RATE" --seconds "$SECONDS_EACH" --callers 10
        printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$count" "$CPU_US" "$(figure .latency_ms.p99)" "$rest" "$resident" >>"$DIR/dialogs"
    done
    stop
}
dialogs 'over Redis' "$REDIS_URL"
REDIS_MB=$(redis info memory | awk -F: '/^used_memory:/ { printf "%.1f", $2 / 1e6 }')
redis flushall >/dev/null
dialogs 'in memory' memory:

# --- What came of it ---

cpu_model=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)
cat <<EOF

$(date -u +%F), ${cpu_model:-unknown processor}, $(getconf _NPROCESSORS_ONLN) cores; $PINNED.
$(redis-server --version | awk '{ print "Redis", $3 }' | sed 's/v=//'), appendonly everysec, noeviction. Log level $KIUNGO_LOG__LEVEL, to a file.
Limits: $KIUNGO_LIMITS__TURNS_PER_SECOND turns/s (the product's own: 1000), $KIUNGO_LIMITS__PERSON_TURNS_PER_MINUTE turns a person and minute (60).
turns/s and CPU: closed loop, $CALLERS callers; where the server's core is not busy, the generator or Redis was the limit.
p50 and p99: $FIXED_RATE turns/s on a fixed schedule. $SECONDS_EACH s each.

EOF
awk -F'\t' '
    { name[NR] = $1; rate[NR] = $2; cpu[NR] = $3; p50[NR] = $4; p99[NR] = $5; kib[NR] = $6 }
    END {
        printf "%-31s %8s %7s %12s %8s %8s %12s %14s %10s\n", "", "turns/s", "core %", "CPU us/turn", "p50 ms", "p99 ms", "resident MB", "turns/s : (b)", "CPU : (b)"
        for (i = 1; i <= NR; i++)
            printf "%-31s %8.0f %7.0f %12.1f %8.2f %8.2f %12.1f %14.3f %10.2f\n", name[i], rate[i], rate[i] * cpu[i] / 1e4, cpu[i], p50[i], p99[i], kib[i] * 1024 / 1e6, rate[i] / rate[2], cpu[i] / cpu[2]
    }' "$DIR/rows"
echo
awk -F'\t' -v rate="$DIALOG_RATE" '
    NR == 1 { printf "%-12s %12s   %14s %8s %12s   (at %d turns/s, by the people who are in them)\n", "Kiungo", "live dialogs", "CPU us/turn", "p99 ms", "resident MB", rate }
    $1 != last { printf "%-12s %12s   %14s %8s %12.1f\n", $1, "at rest", "", "", $5 * 1024 / 1e6; last = $1 }
    { printf "%-12s %12d   %14.1f %8.2f %12.1f\n", $1, $2, $3, $4, $6 * 1024 / 1e6 }' "$DIR/dialogs"
cat <<EOF
A turn costs more there than in a closed loop: a server that sleeps between turns wakes for each, with cold caches.

Redis memory of a live dialog, mid-list: $BYTES (MEMORY USAGE); $REDIS_MB MB used in all with the last dialogs above.
From exec to ready: ${STARTED[0]} ms with keys and records made, then on files that are there: ${STARTED[*]:1} ms.
EOF
if [ -n "$FAILED" ]; then
    say "Some turns failed, so the figures are not to be used; see above."
    exit 1
fi
