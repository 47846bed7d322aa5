
# socat-chain.sh: puts one protocol on top of another. A client's protocol stands on top of the
# third address, a server's on top of the first one.
parameters='<address1> <address2> <address3>'
summary='relay between <address1> and <address3>, with the protocol of <address2> in between'

# Of "TYPE:...:HOST:PORT" the last two parameters, ":HOST:PORT"; nothing where there are less.
target()
{
    printf '%s' "$1" |
        sed -n 's/^[^:]*:.*\(:\[[^]]*]:[^]:]*\)$/\1/p; t
                s/^[^:]*:.*\(:[^]:]*:[^]:]*\)$/\1/p'
}

# The options that name the server below, which the third address does, are left out.
own_options()
{
    printf '%s' "$1" | sed 's/,\(socksport\|proxyport\)=[^,]*//g'
}

type_of()
{
    printf '%s' "${1%%[:,]*}" | tr '[:lower:]' '[:upper:]'
}

# join LAYER ADDRESS: one on top of the other.
join()
{
    head=${1%%,*}
    rest=${1#"$head"}
    type=$(type_of "$1")
    case $type in
    OPENSSL | OPENSSL-CONNECT | SSL)
        layer=OPENSSL
        [ "${head#*::}" = "$head" ] && layer=$layer$(printf '%s' "$head" | sed -n 's/^[^:]*//p') ;;
    OPENSSL-LISTEN | SSL-L) layer=OPENSSL ;;
    PROXY | PROXY-CONNECT | SOCKS | SOCKS4 | SOCKS4A | SOCKS5 | SOCKS5-CONNECT)
        layer=$type$(target "$head")
        [ "$layer" != "$type" ] || fail "$1: it is not said what to connect to" ;;
    *) fail "$1: a chain is made with OPENSSL, OPENSSL-LISTEN, PROXY or SOCKS" ;;
    esac
    printf '%s%s|%s' "$layer" "$(own_options "$rest")" "$2"
}

# become ARGUMENT...: a relay takes the place of the script.
become()
{
    command_line=$(relay_command "$@")
    show "$command_line"
    eval "exec $command_line 3<&-"
}

# A server's protocol stands on what listens; where the first address does not, a socket in a folder
# of its own does.
run_server()
{
    case $(type_of "$1") in
    *-LISTEN | *-L)
        left=$(join "$2" "$1") || exit 1
        become "$left" "$3" ;;
    esac
    room=$(mktemp -d /tmp/socat-chain.XXXXXX) || fail 'cannot make a folder in /tmp'
    trap 'end_background; rm -rf "$room"' EXIT
    left=$(join "$2" "UNIX-LISTEN:$room/link") || exit 1
    start "$left" "$3"
    start "$1" "UNIX-CONNECT:$room/link,retry=100,interval=0.1"
    wait $!
}

take_options "$@"
shift "$used"
[ $# -eq 3 ] || refuse "three addresses are required (there are $#)"
find_relay
case $(type_of "$2") in
OPENSSL-LISTEN | SSL-L) run_server "$@" ;;
*)
    right=$(join "$2" "$3") || exit 1
    become "$1" "$right" ;;
esac
