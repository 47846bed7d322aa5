
# socat-mux.sh: many clients share one target. A process for each client and one for the target talk
# by UDP on the loopback: to the target's port, and by broadcasts to the port of all clients.
parameters='<listener> <target>'
summary='relay between all clients of <listener> and <target>: what it sends goes to all of them'

loopback=127.0.0.1
everybody=127.255.255.255

# A UDP port that nobody uses.
free_port()
{
    "$relay" -d -d -T 0.000001 -u UDP4-RECV:0,bind=$loopback /dev/null 2>&1 |
        sed -n "s/.*$loopback:\([0-9][0-9]*\).*/\1/p" | sed -n '1p'
}

take_options "$@"
shift "$used"
[ $# -eq 2 ] || refuse "two addresses are required (there are $#)"
find_relay
clients=$(free_port)
target=$(free_port)
[ -n "$clients" ] && [ -n "$target" ] && [ "$clients" != "$target" ] ||
    fail 'there are no two free UDP ports'
start "$2" "UDP4-DATAGRAM:$everybody:$clients,bind=$loopback:$target,so-broadcast"
start "$(with_fork "$1")" \
    "UDP4-DATAGRAM:$loopback:$target,bind=$everybody:$clients,so-reuseaddr"
wait_for_any
