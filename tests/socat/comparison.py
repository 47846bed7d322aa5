"""Runs each row of a file with the installed socat and with modcat in its place, and compares what
they give: the exit status, the output, whether there is an error, the files that are there in the
end, and where the row is about system calls, those that an option adds and takes away.

comparison.py ROWS [WORD...] runs the rows that have one of the words in their names. The head of
comparison.rows tells how rows are written. $MODCAT is the program.
"""

import collections
import concurrent.futures
import difflib
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading

# Rows wait for each other's ends, and for what options say, more than they work.
AT_A_TIME = 4

# Nothing takes that long but what hangs.
SECONDS = 60

# A machine may be so busy that what comes first comes second: all of them must differ.
TRIES = 3

# Waits for files; see its source.
AWAIT = os.path.abspath('tests/socat/await')

# Functions for the commands.
PREAMBLE = r'''
umask 022
printf 'one\ntwo\nthree\n' >text

# traced ARGUMENT...: socat, whose calls are compared.
traced()
{
    strace -f --seccomp-bpf -qq -e signal=none -e trace="$calls" -o .calls socat "$@"
}

# options_set WORD ARGUMENT...: the options of sockets with WORD in them that a socat sets, as strace
# shows level, name, value and length.
options_set()
{
    word=$1
    shift
    traced "$@"
    sed -n "s/^[0-9 ]*setsockopt([0-9]*, \\(.*$word.*\\)) = 0\$/\\1/p" .calls
    rm .calls
}

# serve ARGUMENT...: a socat that listens, on $port where it is a port. It is waited for with `wait`.
serve()
{
    mkfifo .log
    socat -d -d "$@" 2>.log &
    exec 9<.log
    while read -r line <&9; do
        case $line in
        *' listening on '*) port=${line##*:}; return ;;
        esac
    done
    echo 'it does not listen'
}

# certify: a key and a certificate for localhost, in the file pem.
certify()
{
    openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key -out cert 2>/dev/null
    cat key cert >pem
    rm key cert
}

# answering TEXT COUNT: a server on $port that takes what a client asks, up to an empty line or so
# many bytes where the answer is binary, keeps it as `asked`, answers, and gives the rest back.
answering()
{
    case $1 in
    '\0'*) take="dd bs=1 count=$2 of=asked 2>/dev/null" ;;
    *) take="sed -u '/^.\$/q' >asked" ;;
    esac
    printf '%s\n' '#!/bin/sh' "$take" "printf '$1'" 'exec cat' >server
    chmod +x server
    serve TCP4-LISTEN:0,bind=127.0.0.1 EXEC:./server
}

# talking COUNT ANSWER...: a server on $port that for each pair takes so many bytes, keeps them in
# `asked`, and answers; and then gives back what comes.
talking()
{
    printf '#!/bin/sh\n' >server
    while [ $# -gt 0 ]; do
        printf '%s\n' "dd bs=1 count=$1 2>/dev/null >>asked" "printf '$2'" >>server
        shift 2
    done
    echo 'exec cat' >>server
    chmod +x server
    serve TCP4-LISTEN:0,bind=127.0.0.1 EXEC:./server
}

# show PATH...: prints text. It is much run, and needs no program.
show()
{
    for path; do
        [ -r "$path" ] || return 1
        while IFS= read -r line; do
            printf '%s\n' "$line"
        done <"$path"
    done
}

# await PATH: until it is there.
await()
{
    "$AWAIT" test -e "$1"
}

# dumps COMMAND...: its standard error without what differs from run to run.
dumps()
{
    "$@" 2>&1 >/dev/null | sed 's|^\([<>]\) [0-9/]* [0-9:.]* |\1 TIME |'
}
'''


class Row:
    def __init__(self, section, name, command, base):
        self.section = section
        self.name = name
        self.command = command
        self.base = base
        self.differs = None
        self.expected = None


class Section:
    def __init__(self, name):
        self.name = name
        self.calls = 'none'
        self.template = None


def read_rows(path):
    rows = []
    section = None
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip('\n')
            if not line or line.startswith('#'):
                continue
            if line.startswith('== '):
                section = Section(line[3:])
            elif line.startswith('calls: '):
                section.calls = line[7:]
            elif line.startswith('command: '):
                section.template = line[9:]
            elif line.startswith('    differs: '):
                rows[-1].differs = line[13:]
            elif line.startswith(('    1.8.1: ', '    gives: ')):
                rows[-1].expected = line[11:].encode().decode('unicode_escape')
            elif section.template:
                rows.append(Row(section, section.name + '/' + line.replace(' ', '_'),
                                section.template.replace('%s', ',' + line),
                                section.template.replace('%s', '')))
            else:
                name, separator, command = line.partition(': ')
                if not separator:
                    sys.exit('%s:%d: not a row' % (path, number))
                rows.append(Row(section, section.name + '/' + name, command, None))
    return rows


def echo_server(kind):
    """The port of a server on the loopback interface, which gives back what it gets."""
    server = socket.socket(socket.AF_INET, kind)
    server.bind(('127.0.0.1', 0))

    def echo_packets():
        while True:
            packet, peer = server.recvfrom(65536)
            server.sendto(packet, peer)

    def echo_stream(peer):
        with peer:
            try:
                while data := peer.recv(65536):
                    peer.sendall(data)
            except OSError:
                pass

    def accept():
        server.listen(64)
        while True:
            threading.Thread(target=echo_stream, args=(server.accept()[0],), daemon=True).start()

    threading.Thread(target=accept if kind == socket.SOCK_STREAM else echo_packets,
                     daemon=True).start()
    return server.getsockname()[1]


# Both run with descriptors that children close, and may ask for more or less at once.
UNIMPORTANT_FLAGS = re.compile(r'\|?(O_CLOEXEC|SOCK_CLOEXEC|SOCK_NONBLOCK|O_LARGEFILE)')
UNIMPORTANT_CALLS = re.compile(
    r'fcntl\(\w+, F_(GETFL|GETFD|SETFD|DUPFD\w*)|openat\(AT_FDCWD, "/(?!dev/(ptmx|tty|null))'
    r'|ioctl\(\w+, (TCGETS|TIOCGPTN)|.*(unfinished|resumed)'
    # fchmodat2(2), which is not asked for, where strace(1) does not know it yet.
    r'|syscall_0x1c4\(')


def plain_calls(text):
    """What strace said, one call a line, without what is of no account."""
    calls = []
    for line in text.splitlines():
        line = re.sub(r'^\d+ +', '', line)
        if UNIMPORTANT_CALLS.match(line) or '(' not in line:
            continue
        line = UNIMPORTANT_FLAGS.sub('', line)
        line = re.sub(r'^(\w+)\(\d+', r'\1(N', line)
        line = re.sub(r'htons\(\d{4,}\)', 'htons(PORT)', line)
        line = re.sub(r'0x7f[0-9a-f]{6,}', 'POINTER', line)
        # The whole of a file, in two ways.
        line = line.replace('l_len=%d' % (2 ** 63 - 1), 'l_len=0')
        # Sockets with a path, with and without the zero at its end.
        line = re.sub(r'(sun_path="[^"]*"}), \d+', r'\1, LENGTH', line)
        # By default, modcat lets more clients wait.
        line = line.replace('listen(N, 4096)', 'listen(N, 5)')
        # Names that mkstemp(3) has made.
        line = re.sub(r'(lock)\.\w{6}"', r'\1.XXXXXX"', line)
        calls.append(re.sub(r'\) += \d+$', ') = N', line))
    return calls


def listing(folder):
    lines = []
    for name in sorted(os.listdir(folder)):
        if name.startswith('.'):
            continue
        try:
            entry = os.lstat(os.path.join(folder, name))
        except FileNotFoundError:
            continue
        size = entry.st_size if stat.S_ISREG(entry.st_mode) else '-'
        line = 'file %s %s %d %d %s' % (name, stat.filemode(entry.st_mode), entry.st_uid,
                                        entry.st_gid, size)
        if line != 'file text -rw-r--r-- %d %d 14' % (os.getuid(), os.getgid()):
            lines.append(line)
    return lines


def error_message(errors):
    """Whether there is an error. Which warnings are shown has changed between versions."""
    told = [line for line in errors.splitlines() if not re.search(r'\[\d+\] W ', line)]
    if any(re.search(r'\[\d+\] [FE] ', line) for line in told):
        return 'an error'
    return 'something else' if told else 'nothing'


def run_for_a_while(command, folder, environment):
    """Its status, output and errors. With all that it has started, it is killed when it hangs."""
    with subprocess.Popen(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          start_new_session=True) as process:
        try:
            output, errors = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, errors = process.communicate()
        return process.returncode, output.decode('latin-1'), errors.decode('latin-1')


class Contender:
    """A program under the name socat, and what it did."""

    def __init__(self, name, program, scratch, ports):
        self.name = name
        self.scratch = scratch
        bin_folder = os.path.join(scratch, name + '-bin')
        os.mkdir(bin_folder)
        os.symlink(program, os.path.join(bin_folder, 'socat'))
        self.environment = dict(os.environ, AWAIT=AWAIT, PATH=bin_folder + ':' + os.environ['PATH'],
                                LC_ALL='C', SHELL='/bin/sh', **ports)
        # Leaks can not be looked for under strace.
        self.environment['ASAN_OPTIONS'] = os.environ.get('ASAN_OPTIONS', '') + ':detect_leaks=0'
        self.bases = {}
        self.lock = threading.Lock()

    def run(self, command, calls):
        folder = tempfile.mkdtemp(dir=self.scratch)
        status, output, errors = run_for_a_while(
            ['sh', '-c', PREAMBLE + command], folder, dict(self.environment, calls=calls))
        output = output.replace(folder, 'FOLDER')
        made = []
        if calls != 'none' and os.path.exists(os.path.join(folder, '.calls')):
            with open(os.path.join(folder, '.calls'), encoding='latin-1') as text:
                made = plain_calls(text.read().replace(folder + '/', ''))
        files = listing(folder)
        # A program that was left to itself may just remove something, too.
        shutil.rmtree(folder, ignore_errors=True)
        return status, output, errors, files, made

    def base_calls(self, row):
        with self.lock:
            if row.base not in self.bases:
                self.bases[row.base] = collections.Counter(self.run(row.base, row.section.calls)[4])
            return self.bases[row.base]

    def give(self, row):
        """All that is compared, and what it said."""
        status, output, errors, files, calls = self.run(row.command, row.section.calls)
        lines = ['status %d' % status, 'said %s' % error_message(errors)]
        lines += ['output ' + line for line in output.splitlines(keepends=False)]
        lines += files
        if row.base and row.section.calls != 'none':
            base = self.base_calls(row)
            calls = collections.Counter(calls)
            lines += sorted('with ' + call for call in (calls - base).elements())
            lines += sorted('without ' + call for call in (base - calls).elements())
        else:
            lines += sorted('call ' + call for call in calls)
        return lines, output, status, errors


def wrong_with(row, reference, modcat):
    """Why the row fails, or nothing."""
    ours, output, status, errors = modcat.give(row)
    if row.expected is not None:
        wanted = row.expected
        got = '%d %s' % (status, output)
        return '' if got == wanted else 'expected %r, got %r\n%s' % (wanted, got, errors)
    theirs, _, _, their_errors = reference.give(row)
    if row.differs:
        return '' if ours != theirs else 'listed as a difference, and is none'
    if ours == theirs:
        return ''
    lines = difflib.unified_diff(theirs, ours, 'socat', 'modcat', n=1, lineterm='')
    return '\n'.join(lines) + '\n' + their_errors + errors


def judge(row, reference, modcat):
    for _ in range(TRIES):
        wrong = wrong_with(row, reference, modcat)
        if not wrong:
            break
    return wrong


def main():
    rows = read_rows(sys.argv[1])
    words = sys.argv[2:]
    if words:
        rows = [row for row in rows if any(word in row.name for word in words)]
    ports = {'TCP': str(echo_server(socket.SOCK_STREAM)), 'UDP': str(echo_server(socket.SOCK_DGRAM))}
    failed = 0
    with tempfile.TemporaryDirectory() as scratch, \
            concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool:
        reference = Contender('socat', shutil.which('socat'), scratch, ports)
        modcat = Contender('modcat', os.environ['MODCAT'], scratch, ports)
        verdicts = pool.map(lambda row: judge(row, reference, modcat), rows)
        for row, wrong in zip(rows, verdicts):
            print('[ RUN      ]', row.name)
            if wrong:
                failed += 1
                print('\n'.join('  ' + line for line in (row.command + '\n' + wrong).splitlines()))
            print('[  FAILED  ]' if wrong else '[       OK ]', row.name, flush=True)
    print('%d passed, %d failed' % (len(rows) - failed, failed))
    sys.exit(1 if failed else 0)


main()
