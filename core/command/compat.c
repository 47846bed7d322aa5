/* The comparison with socat 1.8.1. man/modcat-compat.7 has the same rows in the same words;
 * tests/manuals/compat_test compares both with each other, and with the names that the program
 * knows. */

#include "core/command/compat.h"

#include "core/command/help.h"
#include "core/command/json_writer.h"
#include <modcat/driver.h>
#include <string.h>

enum kind { ADDRESS, OPTION, FLAG, VARIABLE, PROGRAM, BEHAVIOUR };
enum state { MATCHED, ADDED, DIFFERENT, MISSING };

static const char *const kinds[] = {
    [ADDRESS] = "address",   [OPTION] = "option",   [FLAG] = "flag",
    [VARIABLE] = "variable", [PROGRAM] = "program", [BEHAVIOUR] = "behaviour",
};

static const char *const states[] = {
    [MATCHED] = "matched",
    [ADDED] = "added",
    [DIFFERENT] = "different",
    [MISSING] = "missing",
};

/* The name of an option stands for its aliases too. Only what is different has a reason. */
static const struct row {
    enum kind kind;
    enum state state;
    const char *name;
    const char *text;
    const char *reason;
} rows[] = {
    {ADDRESS, MATCHED, "all address types",
     "Every address type and alias of socat 1.8.1 on Linux is known.", NULL},
    {ADDRESS, MATCHED, "POSIXMQ",
     "A message queue in one direction; both directions at once are refused.", NULL},
    {ADDRESS, MATCHED, "POSIXMQ-WRITE", "Another name of POSIXMQ-SEND.", NULL},
    {ADDRESS, MATCHED, "SHELL", "Without a command, it runs an interactive shell.", NULL},
    {ADDRESS, MATCHED, "STALL", "Never readable, never at its end; takes no data.", NULL},
    {ADDRESS, MATCHED, "TEXT",
     "Reading gives the string, then end of file; data written goes to standard output.", NULL},
    {ADDRESS, ADDED, "BALANCE", "Spreads sessions over several addresses.", NULL},
    {ADDRESS, ADDED, "FAILOVER", "Uses the first of several addresses that opens.", NULL},
    {ADDRESS, ADDED, "KEEP", "A layer that opens again what is lost, while the session stays.",
     NULL},
    {ADDRESS, ADDED, "PP",
     "A layer that tells who the client is, or learns it, by the PROXY protocol.", NULL},
    {ADDRESS, ADDED, "WS", "A WebSocket client, or a server on a listening address.", NULL},
    {ADDRESS, ADDED, "layers behind |",
     "TLS, SOCKS and HTTP proxies run on top of any other address.", NULL},
    {ADDRESS, ADDED, "numbers of several digits",
     "10 stands for FD:10, not only a single digit for a descriptor.", NULL},
    {OPTION, MATCHED, "all options", "Every option and alias of socat 1.8.1 on Linux is known.",
     NULL},
    {OPTION, MATCHED, "interface-mtu", "Sets the MTU of TUN and INTERFACE.", NULL},
    {OPTION, MATCHED, "ipv6-mtu-discover", "Sets path MTU discovery for IPv6.", NULL},
    {OPTION, MATCHED, "ipv6-multicast-loop",
     "Sets whether multicast packets come back to the sender, for IPv6.", NULL},
    {OPTION, MATCHED, "mcloop", "Another name of ip-multicast-loop.", NULL},
    {OPTION, MATCHED, "posixmq-flush", "Empties a message queue when it is opened.", NULL},
    {OPTION, MATCHED, "posixmq-maxmsg", "Sets how many messages a new queue holds.", NULL},
    {OPTION, MATCHED, "posixmq-msgsize", "Sets how long a message of a new queue may be.", NULL},
    {OPTION, MATCHED, "setsockopt-connected",
     "Sets any socket option once the socket is connected.", NULL},
    {OPTION, MATCHED, "setsockopt-socket", "Sets any socket option as soon as there is a socket.",
     NULL},
    {OPTION, MATCHED, "sockspass", "The password for SOCKS5, beside socksuser.", NULL},
    {OPTION, MATCHED, "termios-setflags", "Sets the four words of flags of a terminal.", NULL},
    {OPTION, MATCHED, "tiocswinsz", "Sets the columns and rows of a terminal.", NULL},
    {OPTION, MATCHED, "symbolic-link",
     "Links to the terminal of a program, too: with EXEC, SYSTEM, SHELL and pty.", NULL},
    {OPTION, MATCHED, "o-creat", "The canonical name; creat, create and o_creat are others.", NULL},
    {OPTION, MATCHED, "min-proto-version", "Another name of openssl-min-proto-version.", NULL},
    {OPTION, MATCHED, "max-proto-version", "Another name of openssl-max-proto-version.", NULL},
    {OPTION, MATCHED, "setpgid", "Without a value it is 1.", NULL},
    {OPTION, MATCHED, "options of OPEN with POSIXMQ",
     "creat, o-excl and others of group OPEN are taken for message queues.", NULL},
    {OPTION, MATCHED, "options of UDP with UDPLITE", "Options of group UDP are taken for UDPLITE.",
     NULL},
    {OPTION, MATCHED, "f-setpipe-sz", "Sets the size of pipes.", NULL},
    {OPTION, DIFFERENT, "options of other systems",
     "Options that socat has only on systems other than Linux are unknown.",
     "modcat runs on Linux."},
    {OPTION, DIFFERENT, "so-peercred",
     "The kernel refuses to set it; socat reports an internal error.",
     "This option can only be read."},
    {OPTION, ADDED, "accept-timeout-status",
     "The exit status if nobody connects within accept-timeout.", NULL},
    {OPTION, ADDED, "balance", "How BALANCE chooses an address.", NULL},
    {OPTION, ADDED, "failover-check", "The time for which an address that failed is left out.",
     NULL},
    {OPTION, ADDED, "keep-groups", "setuid and setgid keep supplementary groups.", NULL},
    {OPTION, ADDED, "keep-hold-size", "How much KEEP holds while an address is away.", NULL},
    {OPTION, ADDED, "keep-max-interval", "The longest time between two tries of KEEP.", NULL},
    {OPTION, ADDED, "keep-timeout", "The time that one try of KEEP may take.", NULL},
    {OPTION, ADDED, "keep-tries", "How often KEEP tries in a row.", NULL},
    {OPTION, ADDED, "keep-while-away", "What becomes of data that comes while an address is away.",
     NULL},
    {OPTION, ADDED, "openssl-alpn", "The application protocols to offer or accept.", NULL},
    {OPTION, ADDED, "openssl-ciphersuites", "The cipher suites of TLS 1.3.", NULL},
    {OPTION, ADDED, "openssl-crl", "Checks revocation lists.", NULL},
    {OPTION, ADDED, "openssl-crl-all", "Checks revocation lists for the whole chain.", NULL},
    {OPTION, ADDED, "openssl-handshake-timeout", "The time in which a handshake must be done.",
     NULL},
    {OPTION, ADDED, "openssl-ktls", "Lets the kernel encrypt.", NULL},
    {OPTION, ADDED, "openssl-passphrase-env",
     "Takes the passphrase of a key from an environment variable.", NULL},
    {OPTION, ADDED, "openssl-passphrase-file", "Takes the passphrase of a key from a file.", NULL},
    {OPTION, ADDED, "openssl-psk-env", "Takes a shared key from an environment variable.", NULL},
    {OPTION, ADDED, "openssl-psk-file", "Takes a shared key from a file.", NULL},
    {OPTION, ADDED, "openssl-psk-identity", "The identity that goes with a shared key.", NULL},
    {OPTION, ADDED, "openssl-session", "Keeps a TLS session in a file, to resume it.", NULL},
    {OPTION, ADDED, "pp-alpn", "Sends the protocol that a client speaks.", NULL},
    {OPTION, ADDED, "pp-authority", "Sends the name that a client has asked for.", NULL},
    {OPTION, ADDED, "pp-crc32c", "Sends a checksum, or insists on one.", NULL},
    {OPTION, ADDED, "pp-netns", "Sends the name of a network namespace.", NULL},
    {OPTION, ADDED, "pp-role", "Who sends the header of the PROXY protocol.", NULL},
    {OPTION, ADDED, "pp-tls", "Sends what is known of a client's TLS.", NULL},
    {OPTION, ADDED, "pp-tlv", "Sends an extra of any type.", NULL},
    {OPTION, ADDED, "pp-trust", "The peers whose headers are taken.", NULL},
    {OPTION, ADDED, "pp-unique-id", "Sends an identifier of the connection.", NULL},
    {OPTION, ADDED, "pp-version", "The version of the header of the PROXY protocol.", NULL},
    {OPTION, ADDED, "socks-password", "The password for SOCKS5.", NULL},
    {OPTION, ADDED, "socks-password-file", "Takes the password for SOCKS5 from a file.", NULL},
    {OPTION, ADDED, "workers", "The number of processes that share hosted sessions.", NULL},
    {OPTION, ADDED, "ws-deflate", "Compresses WebSocket messages.", NULL},
    {OPTION, ADDED, "ws-handshake-timeout",
     "The time in which a handshake of WebSocket must be done.", NULL},
    {OPTION, ADDED, "ws-header", "A further header of a handshake of WebSocket.", NULL},
    {OPTION, ADDED, "ws-header-file", "Takes such headers from a file.", NULL},
    {OPTION, ADDED, "ws-host", "The host that a WebSocket client asks for.", NULL},
    {OPTION, ADDED, "ws-lines", "Makes each line a WebSocket message.", NULL},
    {OPTION, ADDED, "ws-max-message", "The largest WebSocket message.", NULL},
    {OPTION, ADDED, "ws-messages", "Makes each packet a WebSocket message.", NULL},
    {OPTION, ADDED, "ws-origin", "The origin of a WebSocket client.", NULL},
    {OPTION, ADDED, "ws-ping", "The time between pings of WebSocket.", NULL},
    {OPTION, ADDED, "ws-ping-timeout", "The time in which a ping must be answered.", NULL},
    {OPTION, ADDED, "ws-subprotocol", "The subprotocols of WebSocket to agree on.", NULL},
    {OPTION, ADDED, "ws-text", "Sends WebSocket messages of text.", NULL},
    {FLAG, MATCHED, "all flags", "Every option of the command line of socat 1.8.1 is known.", NULL},
    {FLAG, ADDED, "--compat", "Prints this table.", NULL},
    {FLAG, ADDED, "--complete", "Prints what a word may become, for the completion of shells.",
     NULL},
    {FLAG, ADDED, "--describe", "Describes an address type with all its options.", NULL},
    {FLAG, ADDED, "--describe-driver", "Prints the manifest of a driver.", NULL},
    {FLAG, ADDED, "--driver-path", "Adds a folder of drivers.", NULL},
    {FLAG, ADDED, "--drain", "Lets sessions end within a time after a signal.", NULL},
    {FLAG, ADDED, "--drivers", "Lists the drivers.", NULL},
    {FLAG, ADDED, "--help", "Prints what -h prints, which is one screen.", NULL},
    {FLAG, ADDED, "--json", "Makes lists and descriptions JSON.", NULL},
    {FLAG, ADDED, "--log-format", "Makes messages JSON objects.", NULL},
    {FLAG, ADDED, "--progress", "Shows bytes, rate and time on the terminal.", NULL},
    {FLAG, ADDED, "--version", "Prints what -V prints.", NULL},
    {VARIABLE, MATCHED, "SOCAT_*", "The variables of socat are read and set.", NULL},
    {VARIABLE, ADDED, "MODCAT_*",
     "The same variables with this prefix; where both are set, this one counts.", NULL},
    {VARIABLE, ADDED, "MODCAT_DRIVER_PATH",
     "Folders of drivers that come before those of the system.", NULL},
    {VARIABLE, ADDED, "MODCAT_SOCKS_PASSWORD",
     "The password for SOCKS5; programs that modcat runs do not see it.", NULL},
    {PROGRAM, MATCHED, "socat",
     "Called by this name, modcat stands in for socat in messages, variables and version.", NULL},
    {PROGRAM, MATCHED, "filan", "Shows open descriptors.", NULL},
    {PROGRAM, MATCHED, "procan", "Shows the properties of a process.", NULL},
    {PROGRAM, MATCHED, "socat-broker.sh", "Passes what each client sends to all others.", NULL},
    {PROGRAM, MATCHED, "socat-chain.sh", "Puts one protocol on top of another.", NULL},
    {PROGRAM, MATCHED, "socat-mux.sh", "Connects many clients to one target.", NULL},
    {PROGRAM, ADDED, "modcat-driver-check", "Checks whether a driver keeps the rules.", NULL},
    {PROGRAM, ADDED, "modcat-driver-new", "Writes a project for a driver.", NULL},
    {BEHAVIOUR, MATCHED, "work of a handler",
     "A command of SYSTEM or SHELL, and whatever a program has started, goes on when the client "
     "leaves.",
     NULL},
    {BEHAVIOUR, MATCHED, "end of EXEC",
     "The program that EXEC has started gets SIGTERM at the end of a session that goes both ways.",
     NULL},
    {BEHAVIOUR, MATCHED, "program that closed its output",
     "It is waited for as long as -t says, so that it can finish its work on its input.", NULL},
    {BEHAVIOUR, MATCHED, "output held by a child",
     "A session ends after its program has ended, even if a child holds the output open.", NULL},
    {BEHAVIOUR, MATCHED, "sequenced packets", "SOCKETPAIR with socktype=5 ends at the end of data.",
     NULL},
    {BEHAVIOUR, MATCHED, "version",
     "Called socat, -V and SOCAT_VERSION give a version that scripts can compare, 1.8.1.1.", NULL},
    {BEHAVIOUR, MATCHED, "end of UDP-CONNECT",
     "At the end of input an empty datagram is sent, so that UDP-LISTEN at the other end ends too.",
     NULL},
    {BEHAVIOUR, MATCHED, "names in bind",
     "bind=localhost works where only the loopback interface is up.", NULL},
    {BEHAVIOUR, MATCHED, "empty host", "An empty host, as in TCP::80, is an error.", NULL},
    {BEHAVIOUR, MATCHED, "quiet sessions",
     "A session that ends as usual logs nothing at the default level.", NULL},
    {BEHAVIOUR, DIFFERENT, "failed calls",
     "Called socat, errors begin with the call, as socat's do: connect(5, ...): Connection "
     "refused; "
     "called modcat, they begin with what could not be done, and the call comes last.",
     "People look for their own words first, scripts for the call."},
    {BEHAVIOUR, MATCHED, "unlink of a named pipe",
     "unlink and unlink-early remove an existing entry before the pipe is made.", NULL},
    {BEHAVIOUR, MATCHED, "owner of a named pipe",
     "user, group and perm of a pipe that is made are set before opening it waits.", NULL},
    {BEHAVIOUR, MATCHED, "chroot",
     "chroot and chroot-early change to the root folder of the new root.", NULL},
    {BEHAVIOUR, MATCHED, "experimental words",
     "netns, retrieve-vlan and ipv6-join-source-group work without --experimental, with a warning.",
     NULL},
    {BEHAVIOUR, MATCHED, "so-rcvtimeo", "It bounds TLS handshakes and the wait for a packet.",
     NULL},
    {BEHAVIOUR, MATCHED, "sane", "sane leaves IXON set, as it is by default.", NULL},
    {BEHAVIOUR, MATCHED, "range for generic sockets",
     "range takes hexadecimal data, as in x0000x7f000000:x0000xff000000.", NULL},
    {BEHAVIOUR, MATCHED, "signals of programs",
     "A program gets SIGINT and SIGQUIT with their default action, also in the background of a "
     "script.",
     NULL},
    {BEHAVIOUR, MATCHED, "blanks around a command",
     "EXEC takes a leading blank, and a trailing one adds no argument.", NULL},
    {BEHAVIOUR, MATCHED, "certificate for an IPv6 address",
     "A certificate for ::1 is valid for the host [::1].", NULL},
    {BEHAVIOUR, MATCHED, "GOPEN with ignoreeof",
     "It creates a file that is missing; without the option, reading a missing file is an error.",
     NULL},
    {BEHAVIOUR, MATCHED, "UNIX-LISTEN with bind", "The option bind is refused.", NULL},
    {BEHAVIOUR, MATCHED, "blocks of 0 bytes",
     "With -b 0 everything is at its end as soon as it is open.", NULL},
    {BEHAVIOUR, MATCHED, "unknown letter after -d",
     "The usage is printed, and the program goes on.", NULL},
    {BEHAVIOUR, MATCHED, "SOCAT_FORK_WAIT", "The wait also applies to EXEC and SYSTEM.", NULL},
    {BEHAVIOUR, MATCHED, "refusal by a proxy",
     "A failed dialogue with a SOCKS server or HTTP proxy gives exit status 1.", NULL},
    {BEHAVIOUR, MATCHED, "SYSTEM with nofork", "The parent of the shell is modcat itself.", NULL},
    {BEHAVIOUR, MATCHED, "retry", "The reason of each failed try is shown with -d -d.", NULL},
    {BEHAVIOUR, MATCHED, "accept-timeout",
     "The exit status is 0 when nobody has connected in time.", NULL},
    {BEHAVIOUR, MATCHED, "reader that has gone",
     "With -u it is noticed at once, not at the next write.", NULL},
    {BEHAVIOUR, MATCHED, "boolean values",
     "Options take yes, no, true, false, on and off, beside numbers.", NULL},
    {BEHAVIOUR, MATCHED, "suffixes of sizes", "Sizes take k, M, G and T, for multiples of 1024.",
     NULL},
    {BEHAVIOUR, DIFFERENT, "newline of a secret",
     "The newline at the end of proxy-authorization-file is not sent.",
     "It is not part of the secret."},
    {BEHAVIOUR, DIFFERENT, "failing programs", "The exit status is 1 whenever a program fails.",
     "That of socat depends on which end comes first."},
    {BEHAVIOUR, DIFFERENT, "memberships",
     "Groups can be joined with three parameters, where socat fails.",
     "The manual of socat describes it."},
    {BEHAVIOUR, DIFFERENT, "ispeed", "It sets the input speed of a terminal, where socat fails.",
     "The manual of socat describes it."},
    {BEHAVIOUR, DIFFERENT, "SOCKS5 replies", "A reply may hold a name, where socat fails.",
     "RFC 1928 allows it."},
    {BEHAVIOUR, DIFFERENT, "SOCKS5 to IPv6",
     "The target may be an IPv6 address, where socat fails.", "RFC 1928 allows it."},
    {BEHAVIOUR, DIFFERENT, "large ports",
     "Ports above 65535 are refused; socat uses the lower 16 bits.", "Such a number is a mistake."},
    {BEHAVIOUR, DIFFERENT, "long UNIX paths",
     "Paths that are too long for a socket are refused; socat cuts them.",
     "A path that is cut names another socket."},
    {BEHAVIOUR, DIFFERENT, "backlog", "The default is 4096; that of socat is 5.",
     "A short queue loses clients."},
    {BEHAVIOUR, DIFFERENT, "supplementary groups",
     "setuid and setgid drop them, unless keep-groups is set; socat keeps them.",
     "Rights that are given up must be gone."},
    {BEHAVIOUR, DIFFERENT, "tcpwrap with another root folder",
     "It is refused; socat takes the rules from the new root.",
     "They may name commands to be run."},
    {BEHAVIOUR, DIFFERENT, "libraries with another root folder",
     "OpenSSL and readline read their settings before the root folder changes; socat's do after.",
     "They may name modules to be loaded."},
    {BEHAVIOUR, DIFFERENT, "TLS without close_notify",
     "If a peer closes a connection without it, the exit status is 1; that of socat is 0.",
     "Data may be cut off."},
    {BEHAVIOUR, DIFFERENT, "TLS handshakes",
     "Clients of a server have 60 seconds; socat sets no limit.",
     "An idle client must not hold a process."},
    {BEHAVIOUR, DIFFERENT, "long datagrams",
     "A datagram longer than the buffer is cut with a warning; socat cuts it silently.",
     "Lost data must be noticed."},
    {BEHAVIOUR, DIFFERENT, "programs that only take data",
     "With -u the program is waited for until it ends; socat ends it after a second.",
     "It may still be working on its input."},
    {BEHAVIOUR, DIFFERENT, "programs that do not read on",
     "Data that an answering program has not taken is a warning; socat fails.",
     "Whether the rest fits into its connection is chance; its own status counts."},
    {BEHAVIOUR, DIFFERENT, "SIGPIPE of programs",
     "Programs get it with its default action; socat has them ignore it.",
     "Pipelines of a shell depend on it."},
    {BEHAVIOUR, DIFFERENT, "lockfile with STDIO", "lockfile and waitlock work; in socat they fail.",
     "The lock is taken once, not for each direction."},
    {BEHAVIOUR, MATCHED, "content of lock files",
     "The process ID and a newline; socat 1.7 writes no newline.", NULL},
    {BEHAVIOUR, MATCHED, "SIGTERM", "It is a warning, shown by default; socat 1.7 hides it.", NULL},
    {BEHAVIOUR, MATCHED, "filan of sockets", "-s says tcp, udp or sctp; in socat 1.7 it says ip.",
     NULL},
    {BEHAVIOUR, MATCHED, "filan of pipes", "F_GETPIPE_SZ is shown; socat 1.7 does not show it.",
     NULL},
    {BEHAVIOUR, DIFFERENT, "filan of unconnected sockets",
     "No peer is shown; socat shows a random one.", "There is none."},
    {BEHAVIOUR, DIFFERENT, "filan and poll", "There is a tab before poll:; in socat there is none.",
     "The value before it ends there."},
    {BEHAVIOUR, DIFFERENT, "filan of a closed descriptor",
     "With -i it is an error, and the exit status is 1; that of socat is 0.",
     "Scripts ask whether it is open."},
    {BEHAVIOUR, DIFFERENT, "filan of a missing file",
     "With -f it is an error, and the exit status is 1; socat shows zeros, with status 0.",
     "Zeros are nothing that a file has."},
    {BEHAVIOUR, DIFFERENT, "link onto a file",
     "Option link replaces a symbolic link only; socat replaces any file.",
     "A file that was there for another purpose would be lost."},
    {BEHAVIOUR, ADDED, "fork=session", "One process hosts the sessions of all peers.", NULL},
    {BEHAVIOUR, ADDED, "statistics in JSON", "--statistics=json logs one object with all counts.",
     NULL},
    {BEHAVIOUR, ADDED, "mistakes in addresses",
     "Messages mark the place, and name the nearest known word.", NULL},
    {BEHAVIOUR, ADDED, "completion", "bash and zsh complete addresses, options and flags.", NULL},
    {BEHAVIOUR, ADDED, "drivers of third parties",
     "A shared object adds address types and options.", NULL},
};

/* The widths of the table's columns. */
struct widths {
    int state, kind, name;
};

static void widen(int *width, const char *text)
{
    int length = (int)strlen(text);
    if (length > *width)
        *width = length;
}

static struct widths measure(void)
{
    struct widths widths = {0};
    for (size_t i = 0; i < MODCAT_COUNT(rows); i++) {
        widen(&widths.state, states[rows[i].state]);
        widen(&widths.kind, kinds[rows[i].kind]);
        widen(&widths.name, rows[i].name);
    }
    return widths;
}

static void put_row(FILE *out, const struct widths *widths, const char *state, const char *kind,
                    const char *name)
{
    fprintf(out, "%-*s  %-*s  %-*s  ", widths->state, state, widths->kind, kind, widths->name,
            name);
}

static void put_table(FILE *out)
{
    struct widths widths = measure();
    put_row(out, &widths, "STATE", "KIND", "NAME");
    fputs("DESCRIPTION\n", out);
    for (const struct row *row = rows; row < rows + MODCAT_COUNT(rows); row++) {
        put_row(out, &widths, states[row->state], kinds[row->kind], row->name);
        fputs(row->text, out);
        if (row->reason != NULL)
            fprintf(out, " %s", row->reason);
        fputc('\n', out);
    }
}

static void put_json(FILE *out)
{
    struct json json = {.out = out};
    json_begin_array(&json, NULL);
    for (const struct row *row = rows; row < rows + MODCAT_COUNT(rows); row++) {
        json_begin_object(&json, NULL);
        json_text(&json, "kind", kinds[row->kind]);
        json_text(&json, "name", row->name);
        json_text(&json, "state", states[row->state]);
        json_text(&json, "text", row->text);
        json_text(&json, "reason", row->reason);
        json_end_object(&json);
    }
    json_end_array(&json);
}

int compat_print(FILE *out, bool json)
{
    if (json)
        put_json(out);
    else
        put_table(out);
    return help_flush(out);
}
