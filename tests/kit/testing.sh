# testing.sh: what the shell tests of the kit have in common. A test is a function, named by the
# sentence that it shows; it returns 0, or says why not, or calls skip.
set -u
export LC_ALL=C SHELL=/bin/sh
umask 022
unset MODCAT_DRIVER_PATH
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' HUP INT TERM
passed=0
failed=0

# test NAME: runs it in a subshell with a folder of its own, "$here".
test_that()
{
    here=$scratch/$1
    mkdir "$here"
    echo "[ RUN      ] $1"
    (cd "$here" && "$1") >"$scratch/output" 2>&1
    case $? in
    0) echo "[       OK ] $1"; passed=$((passed + 1)) ;;
    77) sed 's/^/  /' "$scratch/output"; echo "[  SKIPPED ] $1"; echo "[  SKIPPED ] 1 test(s)" ;;
    *) sed 's/^/  /' "$scratch/output"; echo "[  FAILED  ] $1"; failed=$((failed + 1)) ;;
    esac
}

skip()
{
    echo "skipped: $*"
    exit 77
}

# fails_saying STATUS TEXT COMMAND...: it ends with the status and its output holds the text.
fails_saying()
{
    wanted_status=$1
    wanted=$2
    shift 2
    "$@" >said 2>&1 </dev/null
    status=$?
    if [ "$status" -ne "$wanted_status" ]; then
        echo "$*: status $status instead of $wanted_status"
    elif grep -qF -e "$wanted" said; then
        return 0
    else
        echo "$*: did not say: $wanted"
    fi
    cat said
    return 1
}

# build SOURCE OBJECT [FLAG...]: with the headers of $headers, or those of the tree.
build()
{
    source=$1
    object=$2
    shift 2
    ${CC:-cc} -shared -fPIC -fvisibility=hidden -I"${headers:-$srcdir/include}" -o "$object" "$source" "$@"
}

# install_driver SOURCE FOLDER NAME [FLAG...]: builds it, and makes its manifest.
install_driver()
{
    source=$1
    object=$2/$3.so
    manifest=$2/$3.driver
    shift 3
    build "$source" "$object" "$@" && "$MODCAT" --describe-driver "$object" >"$manifest"
}
srcdir=$(cd "$srcdir" && pwd)
