"""Shows descriptors of many kinds with filan, and compares what it shows with what getsockopt(2)
says, and with what the installed socat's filan shows.

descriptors.py FILAN. $MODCAT is the program whose table of descriptors is tried.
"""

import ctypes
import itertools
import os
import pty
import re
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

FILAN = os.path.abspath(sys.argv[1])
SECONDS = 60

# What the socket module has no name for.
SO_BINDTODEVICE = 25
SO_ATTACH_FILTER = 26
SO_PRIORITY = 12
SO_RCVTIMEO = 20
SO_SNDTIMEO = 21

NAMES = (
    [(name, socket.SOL_SOCKET, getattr(socket, 'SO_' + name))
     for name in ('DEBUG', 'REUSEADDR', 'TYPE', 'ERROR', 'DONTROUTE', 'BROADCAST', 'SNDBUF', 'RCVBUF',
                  'KEEPALIVE', 'OOBINLINE', 'RCVLOWAT', 'SNDLOWAT', 'PROTOCOL', 'REUSEPORT')] +
    [('PRIORITY', socket.SOL_SOCKET, SO_PRIORITY)] +
    [('IP_TOS', socket.IPPROTO_IP, socket.IP_TOS), ('IP_TTL', socket.IPPROTO_IP, socket.IP_TTL),
     ('IP_HDRINCL', socket.IPPROTO_IP, socket.IP_HDRINCL),
     ('IP_RECVTOS', socket.IPPROTO_IP, socket.IP_RECVTOS),
     ('IP_MULTICAST_TTL', socket.IPPROTO_IP, socket.IP_MULTICAST_TTL),
     ('IP_MULTICAST_LOOP', socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP)])
TCP_NAMES = [(name, socket.IPPROTO_TCP, getattr(socket, name))
             for name in ('TCP_NODELAY', 'TCP_MAXSEG', 'TCP_CORK', 'TCP_KEEPIDLE', 'TCP_KEEPINTVL',
                          'TCP_KEEPCNT', 'TCP_SYNCNT', 'TCP_LINGER2', 'TCP_WINDOW_CLAMP',
                          'TCP_QUICKACK')]
TCP_NAMES.append(('TCP_ACCEPT', socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT))
IPV6_NAMES = [(name, socket.IPPROTO_IPV6, getattr(socket, name))
              for name in ('IPV6_V6ONLY', 'IPV6_UNICAST_HOPS', 'IPV6_TCLASS', 'IPV6_MULTICAST_HOPS',
                           'IPV6_MULTICAST_LOOP', 'IPV6_RECVPKTINFO')]

# Columns that socat 1.7.4 does not have.
ADDED = re.compile(r'IPV6_(?!V6ONLY)|F_GETPIPE_SZ=|ROWS=|COLS=')

# Set apart from each other by its end of line, and no column of its own.
NO_COLUMN = '**** NO FURTHER ANALYSIS FOR THIS SOCKET TYPE IMPLEMENTED'


def tcp(family, host):
    """A listener, and both ends of a connection with some data to read at the one that accepted."""
    listening, client = socket.socket(family), socket.socket(family)
    listening.bind((host, 0))
    listening.listen(5)
    client.connect(listening.getsockname())
    accepted = listening.accept()[0]
    client.send(b'abc')
    select.select([accepted], [], [])
    return listening, client, accepted


def datagram(family, host, peer=None):
    one = socket.socket(family, socket.SOCK_DGRAM)
    one.bind((host, 0))
    if peer is not None:
        one.connect((host, peer))
    return one


def waiting_datagram():
    one = datagram(socket.AF_INET, '127.0.0.1')
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'hello', one.getsockname())
    select.select([one], [], [])
    return one


def refused():
    """A socket with an error that nobody has asked for yet."""
    unused = datagram(socket.AF_INET, '127.0.0.1')
    port = unused.getsockname()[1]
    unused.close()
    one = datagram(socket.AF_INET, '127.0.0.1', port)
    one.send(b'x')
    select.select([one], [], [])
    return one


def unix(name, kind, listens):
    one = socket.socket(socket.AF_UNIX, kind)
    one.bind(name)
    if listens:
        one.listen(1)
    return one


def half(pair):
    """One of a pair, with the other one left open."""
    keep.append(pair[1])
    return pair[0]


def with_options():
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 7))
    one.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    one.setsockopt(socket.IPPROTO_IP, socket.IP_OPTIONS, bytes([1, 1, 1, 0]))
    one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 17)
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return one


def opened(path, flags):
    return os.open(path, flags | os.O_NOCTTY | os.O_NONBLOCK)


def kinds():
    """Names, and what makes one or several descriptors of that kind."""
    libc = ctypes.CDLL(None)
    open('file', 'w').write('content\n')
    os.mkfifo('fifo')
    mask = ctypes.create_string_buffer(128)
    stream, dgram, seqpacket = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET
    return {
        'TCP': lambda: tcp(socket.AF_INET, '127.0.0.1'),
        'TCP over IPv6': lambda: tcp(socket.AF_INET6, '::1'),
        'TCP with options': with_options,
        'TCP not bound': socket.socket,
        'UDP': lambda: datagram(socket.AF_INET, '127.0.0.1'),
        'UDP connected': lambda: datagram(socket.AF_INET, '127.0.0.1', 9),
        'UDP with data': waiting_datagram,
        'UDP over IPv6': lambda: datagram(socket.AF_INET6, '::1'),
        'UDP over IPv6, connected': lambda: datagram(socket.AF_INET6, '::1', 9),
        'UDP-Lite': lambda: socket.socket(socket.AF_INET, dgram, 136),
        'raw IP': lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        'raw IPv6': lambda: socket.socket(socket.AF_INET6, socket.SOCK_RAW, 58),
        'UNIX stream': lambda: unix('stream', stream, True),
        'UNIX datagram': lambda: unix('datagram', dgram, False),
        'UNIX sequenced packets': lambda: unix('packets', seqpacket, True),
        'UNIX abstract': lambda: unix('\0of filan %d' % os.getpid(), stream, False),
        'pair of streams': lambda: half(socket.socketpair()),
        'pair of datagrams': lambda: half(socket.socketpair(socket.AF_UNIX, dgram)),
        'pair of sequenced packets': lambda: half(socket.socketpair(socket.AF_UNIX, seqpacket)),
        'pipe': os.pipe,
        'FIFO': lambda: opened('fifo', os.O_RDWR),
        'file': lambda: opened('file', os.O_RDONLY),
        'file to append to': lambda: opened('file', os.O_WRONLY | os.O_APPEND),
        'path': lambda: os.open('file', os.O_PATH),
        'folder': lambda: opened('.', os.O_RDONLY),
        'device': lambda: opened('/dev/null', os.O_RDWR),
        'terminal': pty.openpty,
        'epoll': lambda: keep.append(select.epoll()) or keep[-1].fileno(),
        'eventfd': lambda: libc.eventfd(0, 0),
        'timerfd': lambda: libc.timerfd_create(1, 0),
        'signalfd': lambda: libc.signalfd(-1, mask, 0),
        'inotify': libc.inotify_init,
        'pidfd': lambda: os.pidfd_open(os.getpid()),
        'memfd': lambda: os.memfd_create('name', 0),
        'netlink': lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
        'packet': lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0),
        'VSOCK': lambda: socket.socket(socket.AF_VSOCK, stream),
    }


keep = []


def number(descriptor):
    return descriptor if isinstance(descriptor, int) else descriptor.fileno()


def make(name, maker):
    """Returns what the maker has made, as a list; an empty one where this can't be had here."""
    try:
        made = maker()
    except (OSError, AttributeError) as reason:
        print('  %s: %s' % (name, reason))
        return []
    made = list(made) if isinstance(made, tuple) else [made]
    if any(isinstance(one, int) and one < 0 for one in made):
        print('  %s: can not be had here' % name)
        return []
    keep.extend(made)
    return made


def shown(program, *arguments, descriptors=()):
    for one in descriptors:
        os.set_inheritable(number(one), True)
    run = subprocess.run([program, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, timeout=SECONDS,
                         pass_fds=[number(one) for one in descriptors])
    if run.returncode != 0:
        raise AssertionError('%s: status %d, %r' % (arguments, run.returncode, run.stderr))
    return run.stdout.decode(errors='replace')


def columns(program, descriptor):
    """What a row says behind the flags, by the names of columns, in their order."""
    row = shown(program, '-i', str(number(descriptor)), descriptors=[descriptor]).split('\n', 1)[1]
    row = row.replace(NO_COLUMN, '')
    # socat sets the end of the flags apart from nothing, and ends a line in the middle of a row.
    row = re.sub(r'(\tx[0-9a-f]{6}\t-?\d+\t-?\d+)(?=[A-Zp])', r'\1\t', row)
    row = re.sub(r'(?<=[^\t])poll: ', '\tpoll: ', row)
    return [part for part in (part.rstrip() for part in re.split('[\t\n]', row)) if part != '']


def value_of(columns, name):
    for one in columns:
        if one.startswith(name + '='):
            return one[len(name) + 1:]
    return None


failed = []


def expect(what, got, wanted):
    if got != wanted:
        print('  %s: %r instead of %r' % (what, got, wanted))
        failed.append(what)


def options_are_those_of_the_socket(name, one):
    got = columns(FILAN, one)
    names = list(NAMES)
    of_ip = one.family in (socket.AF_INET, socket.AF_INET6)
    if of_ip and one.type == socket.SOCK_STREAM:
        names += TCP_NAMES
    if one.family == socket.AF_INET6:
        names += IPV6_NAMES
    for word, level, option in names:
        try:
            wanted = str(one.getsockopt(level, option))
        except OSError:
            wanted = None
        if word.startswith('IP_') and not of_ip:
            wanted = None
        expect('%s: %s' % (name, word), value_of(got, word), wanted)
    if one.family != socket.AF_VSOCK:  # of which Python reads nothing but numbers
        linger = struct.unpack('ii', one.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8))
        expect('%s: LINGER' % name, value_of(got, 'LINGER'), '{%d,%d}' % linger)


def without_what_changes(column):
    """TCP_INFO has times, and poll the ends that socat's does not ask for."""
    if column.startswith('TCP_INFO='):
        return ' '.join(column.split(' ')[:2])
    return re.sub(r'(, ?| ;|;)$', '', re.sub('(RD)?HUP,', '', column))


def socat_shows_the_same(name, one):
    ours = [column for column in columns(FILAN, one) if not ADDED.match(column)]
    theirs = columns('/usr/bin/filan', one)
    if name in ('netlink', 'packet', 'VSOCK'):
        # Of these, socat shows the address as if it had the length of another.
        ours, theirs = ([column for column in one if not column.startswith('AF=')]
                        for one in (ours, theirs))
    pairs = itertools.zip_longest(map(without_what_changes, ours),
                                  map(without_what_changes, theirs))
    for ours, theirs in pairs:
        expect('%s, as socat' % name, ours, theirs)


def values_have_their_forms():
    one = socket.socket()
    one.setsockopt(socket.SOL_SOCKET, SO_RCVTIMEO, struct.pack('ll', 3, 500000))
    one.setsockopt(socket.SOL_SOCKET, SO_SNDTIMEO, struct.pack('ll', 5, 0))
    try:
        one.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, b'lo\0')
        interface = '"lo"'
    except OSError:
        interface = '{0,0}'
    # Instructions: load the length, let all of the packet pass.
    program = ctypes.create_string_buffer(struct.pack('HBBIHBBI', 0x80, 0, 0, 0, 6, 0, 0, 0xffff))
    one.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER,
                   struct.pack('HP', 2, ctypes.addressof(program)))
    got = columns(FILAN, one)
    expect('a time with a fraction', value_of(got, 'RCVTIMEO'), '{3,500000}')
    expect('a time', value_of(got, 'SNDTIMEO'), '{5,0}')
    expect('an interface', value_of(got, 'BINDTODEVICE'), interface)
    expect('a filter', value_of(got, 'ATTACH_FILTER'), '{2,0}')


def peers_are_known():
    one = half(socket.socketpair())
    expect('a peer', value_of(columns(FILAN, one), 'PEERCRED'), '{%d,%d}' % (os.getpid(),
                                                                          os.getuid()))


def pending_errors_are_shown():
    one = refused()
    expect('a pending error', value_of(columns(FILAN, one), 'ERROR'), '111')


def the_table_of_a_session_takes_no_error_off_its_sockets():
    one = refused()
    os.set_inheritable(one.fileno(), True)
    run = subprocess.run([os.environ['MODCAT'], '-D', '-u', 'FD:%d' % one.fileno(), '-'],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                         timeout=SECONDS, pass_fds=[one.fileno()])
    said = run.stderr.decode(errors='replace')
    expect('the status', run.returncode, 1)
    expect('the error', 'Connection refused' in said, True)
    expect('the table', '\tTYPE=2\tDONTROUTE=0\t' in said, True)


def test(what, *arguments):
    print('[ RUN      ] %s' % what.__name__)
    before = len(failed)
    what(*arguments)
    print('[%s] %s' % ('       OK ' if len(failed) == before else '  FAILED  ', what.__name__))


def sockets_show_their_options(made):
    for name, ones in made.items():
        for one in ones:
            if isinstance(one, socket.socket):
                options_are_those_of_the_socket(name, one)


def all_kinds_are_shown_as_socat_shows_them(made):
    for name, ones in made.items():
        for one in ones:
            socat_shows_the_same(name, one)


def socat_is_installed():
    if not shutil.which('socat') or not os.path.exists('/usr/bin/filan'):
        return False
    version = subprocess.run(['socat', '-V'], stdout=subprocess.PIPE, timeout=SECONDS).stdout
    return b'modcat' not in version and b'socat version 1.7.4' in version


def main():
    made = {name: make(name, maker) for name, maker in kinds().items()}
    test(sockets_show_their_options, made)
    if socat_is_installed():
        test(all_kinds_are_shown_as_socat_shows_them, made)
    else:
        print('[  SKIPPED ] all_kinds_are_shown_as_socat_shows_them')
    test(values_have_their_forms)
    test(peers_are_known)
    test(pending_errors_are_shown)
    test(the_table_of_a_session_takes_no_error_off_its_sockets)
    return 1 if failed else 0


for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(one, lambda *_: sys.exit(1))
with tempfile.TemporaryDirectory() as folder:
    os.environ['MODCAT'] = os.path.abspath(os.environ['MODCAT'])
    os.chdir(folder)
    status = main()
    os.chdir('/')
sys.exit(status)
