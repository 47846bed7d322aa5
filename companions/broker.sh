
# socat-broker.sh: what one client sends goes to all others. Each client has a process with two
# UNIX sockets in a folder, in.N and out.N. The hub takes one packet after the other, and sends it
# on to all sockets but that of its sender, whom it knows by its N.
parameters='<listener>'
summary='relay what a client of <listener> sends to all its other clients'

# How long a client that does not read may hold up the others, in seconds.
patience=1

take_options "$@"
shift "$used"
[ $# -eq 1 ] || refuse "one address is required (there are $#)"
find_relay
relay=$(command -v -- "$relay")
room=$(mktemp -d /tmp/socat-broker.XXXXXX) || fail 'cannot make a folder in /tmp'
trap 'end_background; rm -rf "$room"' EXIT
command_line=$(relay_command)

cat >"$room/peer" <<END
#!/bin/sh
exec$command_line - "UNIX-RECV:$room/in.\$\$!!UNIX-SENDTO:$room/hub,bind=$room/out.\$\$"
END
cat >"$room/fan" <<END
#!/bin/sh
cat >$room/packet
for socket in $room/in.*; do
    [ "\$socket" = "$room/in.\${SOCAT_PEERADDR##*.}" ] || [ ! -S "\$socket" ] ||
       $command_line -T $patience -u OPEN:$room/packet "UNIX-SENDTO:\$socket"
done
END
chmod +x "$room/peer" "$room/fan"

start -u "UNIX-RECVFROM:$room/hub,fork,max-children=1" "EXEC:$room/fan"
while [ ! -S "$room/hub" ]; do
    kill -0 ${background# } 2>/dev/null || fail 'the hub does not start'
    pause
done
start "$(with_fork "$1")" "EXEC:$room/peer,nofork"
wait_for_any
