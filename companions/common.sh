#!/bin/sh
# What the scripts beside the command `socat` have in common: their options, and how the relay is
# found and run. The part of each script follows at the end of this file.
set -u
name=${0##*/}
case $0 in
*/*) folder=${0%/*} ;;
*) folder=$(dirname -- "$(command -v -- "$0")") ;;
esac

# The relay's options, each quoted for eval.
options=
show_commands=no

print_help()
{
    cat <<END
Usage: $name [options] $parameters
   $summary
   options:
      -h         print this help, and exit
      -V         show the commands that are run
      -q         quiet: errors and warnings are not shown, except those that end the program
      -d, -d<n>  and the options -l, -b, -S, -t, -T are those of socat
END
}

fail()
{
    echo "$name: $*" >&2
    exit 1
}

refuse()
{
    echo "$name: $*" >&2
    print_help >&2
    exit 1
}

# quoted TEXT: as one word for eval.
quoted()
{
    printf " '%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

add_option()
{
    options=$options$(quoted "$1")
}

# The relay beside this script, or else that in PATH.
find_relay()
{
    for relay in ${SOCAT:+"$SOCAT"} "$folder/socat" "$folder/modcat" socat modcat; do
        command -v -- "$relay" >/dev/null 2>&1 && return
    done
    fail 'there is no socat beside it and none in PATH'
}

# Takes the options at the beginning of the command line; `used` is their number.
take_options()
{
    used=0
    while [ $# -gt 0 ]; do
        case $1 in
        -h | -\?) print_help; exit 0 ;;
        -V) show_commands=yes ;;
        -q) add_option -d0 ;;
        -d* | -lf?* | -lp?* | -ly* | -ls | -lm* | -lu | -lh | -[bStT]?*) add_option "$1" ;;
        -lf | -lp | -[bStT])
            [ $# -gt 1 ] || refuse "option $1 requires an argument"
            add_option "$1"
            add_option "$2"
            shift
            used=$((used + 1)) ;;
        -,* | - | -:* | [!-]* | '') return ;;
        *) refuse "unknown option \"$1\"" ;;
        esac
        shift
        used=$((used + 1))
    done
}

# relay_command ARGUMENT...: the relay's command line, for eval.
relay_command()
{
    quoted "$relay"
    printf '%s' "$options"
    for argument in "$@"; do
        quoted "$argument"
    done
}

# Shows a command line where that is wanted.
show()
{
    [ "$show_commands" = no ] || echo "$1" >&2
}

# with_fork ADDRESS: the address, with option fork if it is missing.
with_fork()
{
    case ,${1#*,}, in
    *,fork,* | *,fork=1,*) printf '%s' "$1" ;;
    *) printf '%s,fork' "$1" ;;
    esac
}

# In the background, the shell takes standard input away.
exec 3<&0

# What runs in the background is ended together with the script, by its own number.
background=

pause()
{
    sleep 0.1 2>/dev/null || sleep 1
}

# A process that has just been forked may still have the shell's traps, and miss a signal: they are
# told until they are gone.
end_background()
{
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        running=
        for process in $background; do
            kill "$process" 2>/dev/null && running=$attempt
        done
        [ -n "$running" ] || break
        pause
    done
    background=
}

trap end_background EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# start ARGUMENT...: runs a relay in the background, with the standard input of the script.
start()
{
    command_line=$(relay_command "$@")
    show "$command_line"
    eval "$command_line <&3 3<&- &"
    background="$background $!"
}

# Waits until one of the relays has ended, and returns its status.
wait_for_any()
{
    while :; do
        for process in $background; do
            kill -0 "$process" 2>/dev/null || { wait "$process"; return; }
        done
        pause
    done
}
