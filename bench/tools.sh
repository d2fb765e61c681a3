# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# The tools that are compared: how each is started, stopped and read. For bench/run.sh, which
# sets $bin (the programs built here) and $memory, $disk (directories of this run).

tools=(nothing library watch record bare execsnoop forkstat bpftrace auditd)

declare -A titles=(
    [nothing]='nothing'
    [library]='librollcall'
    [watch]='rollcall watch'
    [record]='rollcall record'
    [bare]='bare BPF ring'
    [execsnoop]='execsnoop'
    [forkstat]='forkstat'
    [bpftrace]='bpftrace'
    [auditd]='auditd'
)

declare -A commands=(
    [library]='the plainest consumer, which prints what the bare ring prints (bench/reader.c)'
    [watch]='rollcall watch --json'
    [record]='rollcall record FILE, the file on the disk'
    [bare]='three tracepoints, 40 bytes for each event, a ring of 256 KiB (bench/bare_ring.bpf.c)'
    [execsnoop]='execsnoop (libbpf-tools); sees execs only'
    [forkstat]='forkstat -e fork,exec,exit'
    [bpftrace]='bpftrace -e: sched_process_fork, _exec, _exit, each prints pid and comm'
    [auditd]='auditd with its own defaults, rules for fork, vfork, clone, clone3, execve, execveat'
)

bpftrace_program='
tracepoint:sched:sched_process_fork { printf("fork %d %s\n", args->child_pid, comm); }
tracepoint:sched:sched_process_exec { printf("exec %d %s\n", args->pid, comm); }
tracepoint:sched:sched_process_exit { printf("exit %d %s\n", args->pid, comm); }'

audited=(fork vfork clone clone3 execve execveat)
audit_key=rollcall-bench
consumer=bench-$$

tool=    # the one that is running
tool_pid=
tool_dir=

# Prints why the tool cannot be used here, if so.
tool_obstacle() {
    case $1 in
    nothing | library | watch | record | bare) ;;
    auditd) audit_obstacle ;;
    *) command -v "$1" >/dev/null || echo 'not installed' ;;
    esac
}

# tool_start TOOL: in a directory of its own. What it prints goes to memory, what it is to keep
# for ever to the disk.
tool_start() {
    tool=$1
    case $tool in
    nothing) return ;;
    record | auditd) tool_dir=$disk/tool ;;
    *) tool_dir=$memory/tool ;;
    esac
    rm -rf "$tool_dir"
    mkdir -m 700 "$tool_dir"
    : >"$tool_dir/out"
    case $tool in
    library) tool_run "$bin/bench/bin/reader" ;;
    watch) tool_run "$bin/bin/rollcall" watch --json ;;
    record) tool_run "$bin/bin/rollcall" record --quiet --name "$consumer" "$tool_dir/journal" ;;
    bare) tool_run "$bin/bench/bin/bare_ring" ;;
    execsnoop) tool_run execsnoop ;;
    forkstat) tool_run forkstat -e fork,exec,exit ;;
    bpftrace) tool_run bpftrace -e "$bpftrace_program" ;;
    auditd) audit_start ;;
    esac
}

# A shell without job control has its children ignore SIGINT, which some tools need to end well.
tool_run() {
    env --default-signal=INT "$@" >"$tool_dir/out" 2>"$tool_dir/err" </dev/null &
    tool_pid=$!
}

# Ends the tool that runs, if one does, and waits for it. What it wrote stays.
tool_stop() {
    local waited=0
    [ -n "$tool_pid" ] || return 0
    [ "$tool" != auditd ] || auditctl -D >/dev/null 2>&1 || true
    kill -CONT "$tool_pid" 2>/dev/null || true
    kill -"$(tool_signal)" "$tool_pid" 2>/dev/null || true
    while kill -0 "$tool_pid" 2>/dev/null && [ $((waited += 1)) -le 600 ]; do
        sleep 0.1
    done
    kill -KILL "$tool_pid" 2>/dev/null || true
    wait "$tool_pid" 2>/dev/null || true
    tool_pid=
    [ "$tool" != record ] || "$bin/bin/rollcall" detach "$consumer" >/dev/null 2>&1 || true
    [ "$tool" != auditd ] || audit_restore
}

tool_signal() { [ "$tool" = auditd ] && echo TERM || echo INT; }

# Prints "fork PID" and "exec PID" for each creation and exec that the tool has told of.
tool_events() {
    case $tool in
    watch)
        sed -n 's/.*"type":"\(create\|exec\)".*"pid":\([0-9]*\),.*/\1 \2/p' "$tool_dir/out" |
            sed 's/^create/fork/'
        ;;
    record)
        [ -e "$tool_dir/journal" ] || return 0
        sqlite3 -readonly -separator ' ' "$tool_dir/journal" \
            "SELECT CASE type WHEN 1 THEN 'fork' ELSE 'exec' END, pid FROM events
             WHERE type IN (1, 2)" 2>/dev/null || true
        ;;
    library | bare | bpftrace) awk '$1 == "fork" || $1 == "exec" { print $1, $2 }' "$tool_dir/out" ;;
    execsnoop) awk '$2 ~ /^[0-9]+$/ { print "exec", $2 }' "$tool_dir/out" ;;
    forkstat)
        awk '$2 == "fork" && $4 == "child" || $2 == "exec" { print $2, $3 }' "$tool_dir/out"
        ;;
    auditd) cat "$tool_dir"/log* 2>/dev/null | audit_events ;;
    esac
}

# Which of the two the tool reports at all.
tool_kinds() {
    case $1 in
    execsnoop) echo exec ;;
    *) echo fork exec ;;
    esac
}

# ---- auditd: it works on state of the kernel that is put back afterwards ----

audit_status() { auditctl -s | awk -v field="$1" '$1 == field { print $2 }'; }

audit_obstacle() {
    command -v auditd >/dev/null || { echo 'not installed' && return; }
    local answer
    answer=$(auditctl -s 2>&1) || { echo "the kernel refuses audit: ${answer%%$'\n'*}" && return; }
    [ "$(audit_status pid)" = 0 ] || echo 'an audit daemon is running already'
    [ "$(audit_status enabled)" != 2 ] || echo 'the audit rules are locked until the next boot'
}

audit_start() {
    local call
    audit_enabled=$(audit_status enabled)
    audit_backlog=$(audit_status backlog_limit)
    audit_wait=$(audit_status backlog_wait_time)
    auditctl -l | grep -v '^No rules' >"$disk/audit.rules" || true
    chmod 600 "$disk/audit.rules"
    sed -e "s|^log_file = .*|log_file = $tool_dir/log|" -e 's/^log_format = .*/log_format = RAW/' \
        -e 's/^max_log_file_action = .*/max_log_file_action = IGNORE/' \
        -e 's/^log_group = .*/log_group = root/' \
        /etc/audit/auditd.conf >"$tool_dir/auditd.conf"
    chmod 600 "$tool_dir/auditd.conf"
    tool_run auditd -n -c "$tool_dir"
    auditctl -D >/dev/null
    auditctl -b 8192 --backlog_wait_time 60000 >/dev/null
    for call in "${audited[@]}"; do
        auditctl -a always,exit -F arch=b64 -S "$call" -k "$audit_key" >/dev/null 2>&1 || true
    done
}

audit_restore() {
    auditctl -D >/dev/null 2>&1 || true
    [ -s "$disk/audit.rules" ] && auditctl -R "$disk/audit.rules" >/dev/null 2>&1
    auditctl -b "$audit_backlog" --backlog_wait_time "$audit_wait" >/dev/null 2>&1 || true
    auditctl -e "$audit_enabled" >/dev/null 2>&1 || true
}

audit_events() {
    local creates execs
    creates=$(for call in fork vfork clone clone3; do ausyscall --exact "$call"; done 2>/dev/null)
    execs=$(for call in execve execveat; do ausyscall --exact "$call"; done 2>/dev/null)
    awk -v creates="$creates" -v execs="$execs" '
        function field(name,    at) {
            at = match($0, " " name "=[^ ]*")
            return at ? substr($0, at + length(name) + 2, RLENGTH - length(name) - 2) : ""
        }
        BEGIN {
            n = split(creates, list, "\n"); for (i = 1; i <= n; i++) create[list[i]] = 1
            n = split(execs, list, "\n"); for (i = 1; i <= n; i++) exec[list[i]] = 1
        }
        /^type=SYSCALL / && field("success") == "yes" {
            call = field("syscall")
            if (call in create) print "fork", field("exit")
            else if (call in exec) print "exec", field("pid")
        }'
}
