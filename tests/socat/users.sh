# users.sh: what the tests of socat's users have in common. Behind tests/kit/testing.sh. Each test
# runs command lines as they stand in scripts, with modcat in the place of socat; USERS_SOCAT names
# another program to compare with. Ports are what those scripts say, so that all of it takes place
# in a network of its own.

if [ "${USERS_INSIDE-}" != yes ]; then
    for way in 'unshare -n -m' 'unshare -r -n -m'; do
        $way true 2>/dev/null || continue
        rm -rf "$scratch"
        USERS_INSIDE=yes exec $way "$0" "$@"
    done
    skip 'a network namespace can not be made here'
fi
command -v ip >/dev/null || skip 'there is no ip'
ip link set lo up
PATH=$PATH:/usr/sbin:/sbin

mkdir "$scratch/bin"
ln -s "${USERS_SOCAT-$MODCAT}" "$scratch/bin/socat"
PATH=$scratch/bin:$PATH

await=$(pwd)/tests/socat/await

needs()
{
    for needed; do
        command -v "$needed" >/dev/null || skip "there is no $needed"
    done
}

# eventually COMMAND...: until it succeeds by what changes in the test's folder.
eventually()
{
    "$await" "$@" >/dev/null 2>&1 && return
    echo "never: $*"
    return 1
}

# in_time COMMAND...: the same by what nobody is told of: ports, processes, and answers.
in_time()
{
    for try in $(seq 200); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    echo "never: $*"
    return 1
}

# start NAME COMMAND...: in the background until the test ends; its output and errors are NAME.out
# and NAME.err, its input is /dev/null, or the FIFO NAME.in where there is one.
started=
start()
{
    name=$1
    shift
    if [ -p "$name.in" ]; then
        "$@" <"$name.in" >"$name.out" 2>"$name.err" &
    else
        "$@" </dev/null >"$name.out" 2>"$name.err" &
    fi
    pid=$!
    started="$started $pid"
    trap end_started EXIT
}

end_started()
{
    for process in $started; do
        kill "$process" 2>/dev/null
    done
    wait
}

# ended PROCESS [STATUS]: it ends, of a start, with this status.
ended()
{
    in_time sh -c "! grep -q '^State:[^Z]*$' /proc/$1/status" || return 1
    wait "$1"
    same "status $?" "status ${2-0}"
}

listens()
{
    in_time sh -c "ss -Hltn 'sport = :$1' | grep -q ."
}

receives()
{
    in_time sh -c "ss -Hlun 'sport = :$1' | grep -q ."
}

# says FILE TEXT: the file gets the text, somewhere.
says()
{
    eventually grep -qF -e "$2" "$1" && return
    tail -n 30 "$1"
    return 1
}

# same WHAT WANTED: as test does, and shows the difference.
same()
{
    [ "$1" = "$2" ] && return
    printf '%s\n--- instead of:\n%s\n' "$1" "$2"
    return 1
}

# Shows what was logged, behind what has failed.
with_logs()
{
    tail -n 20 ./*.err ./*.out 2>/dev/null
    return 1
}
