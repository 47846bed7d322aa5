# The program. All of it but main.c is in an archive too, for unit tests to link what they need.
noinst_LIBRARIES = libcore.a
libcore_a_SOURCES = \
	core/address/address.h \
	core/address/bind.c core/address/bind.h \
	core/address/explain.c \
	core/address/hints.c core/address/hints.h \
	core/address/lexer.c core/address/lexer.h \
	core/address/mask.c core/address/mask.h \
	core/address/params.c core/address/params.h \
	core/address/parser.c \
	core/base/entry.c core/base/entry.h \
	core/base/json.c core/base/json.h \
	core/base/lockfile.c core/base/lockfile.h \
	core/base/log.c core/base/log.h \
	core/base/memory.c core/base/memory.h \
	core/base/moment.c core/base/moment.h \
	core/base/outlet.c core/base/outlet.h \
	core/base/output_file.c core/base/output_file.h \
	core/base/patient.c core/base/patient.h \
	core/base/procfs.c core/base/procfs.h \
	core/base/shortage.c core/base/shortage.h \
	core/base/printable.c core/base/printable.h \
	core/base/secrets.c core/base/secrets.h \
	core/base/signals.c core/base/signals.h \
	core/base/system_calls.h \
	core/base/system_log.c core/base/system_log.h \
	core/base/words.c core/base/words.h \
	core/command/commandline.c core/command/commandline.h \
	core/command/defaults.c core/command/defaults.h \
	core/command/compat.c core/command/compat.h \
	core/command/complete.c core/command/complete.h \
	core/command/descriptor.c core/command/descriptor.h \
	core/command/descriptor_short.c \
	core/command/descriptors.c core/command/descriptors.h \
	core/command/describe.c core/command/describe.h \
	core/command/describe_json.h \
	core/command/describe_type.c \
	core/command/features.c core/command/features.h \
	core/command/help.c core/command/help.h \
	core/command/json.c core/command/json.h \
	core/command/mistakes.c core/command/mistakes.h \
	core/command/numbers.c core/command/numbers.h \
	core/command/settings.h \
	core/datagram/ancillary.c core/datagram/ancillary.h \
	core/datagram/batch.c core/datagram/batch.h \
	core/datagram/endpoint.c core/datagram/endpoint.h \
	core/datagram/listen_packets.c \
	core/datagram/packet.c core/datagram/packet.h \
	core/datagram/receive_from.c \
	core/datagram/screen.c core/datagram/screen.h \
	core/datagram/sendto.c \
	core/net/connect.c \
	core/net/filter.c core/net/filter.h \
	core/net/hint.c core/net/hint.h \
	core/net/listen.c \
	core/net/local.c core/net/local.h \
	core/net/lookup.c core/net/lookup.h \
	core/net/membership.c core/net/membership.h \
	core/net/options_ip.c \
	core/net/options_listen.c \
	core/net/options_resolver.c core/net/options_resolver.h \
	core/net/options_socket.c \
	core/net/peer.c \
	core/net/range.c core/net/range.h \
	core/net/resolve.c core/net/resolve.h \
	core/net/sockaddr.c core/net/sockaddr.h \
	core/net/socket.c core/net/socket.h \
	core/net/transport.c core/net/transport.h \
	core/net/unix.c core/net/unix.h \
	core/net/unix_client.c \
	core/options/appl.c \
	core/options/account.c core/options/account.h \
	core/options/child.c \
	core/options/confine.c core/options/confine.h \
	core/options/data.c \
	core/options/effects.c core/options/effects.h \
	core/options/fd.c \
	core/options/file.c \
	core/options/groups.c core/options/groups.h \
	core/options/identity.c core/options/identity.h \
	core/options/namespaces.c core/options/namespaces.h \
	core/options/process.c core/options/process.h \
	core/options/values.c core/options/values.h \
	core/process/channel.c core/process/channel.h \
	core/process/child.c core/process/child.h \
	core/process/command.c \
	core/process/programs.c core/process/programs.h \
	core/process/spawn.c \
	core/registry/acl.c core/registry/acl.h \
	core/registry/guard.c core/registry/guard.h \
	core/registry/known.c core/registry/known.h \
	core/registry/load.c \
	core/registry/loader.c core/registry/loader.h \
	core/registry/manifest.c core/registry/manifest.h \
	core/registry/object.c core/registry/object.h \
	core/registry/registry.c core/registry/registry.h \
	core/registry/search.c core/registry/search.h \
	core/registry/tables.c core/registry/tables.h \
	core/registry/trust.c core/registry/trust.h \
	core/registry/walk.c core/registry/walk.h \
	core/relay/convert.c core/relay/convert.h \
	core/relay/dump.c core/relay/dump.h \
	core/relay/dumpname.c core/relay/dumpname.h \
	core/relay/endpoint.c core/relay/endpoint.h \
	core/relay/flow.c core/relay/flow.h core/relay/moving.h \
	core/relay/source.c core/relay/sink.c core/relay/splicing.c \
	core/relay/halfclose.c core/relay/halfclose.h \
	core/relay/lost.c core/relay/lost.h \
	core/relay/progress.c core/relay/progress.h \
	core/relay/relay.c core/relay/relay.h \
	core/relay/screen.c core/relay/screen.h \
	core/relay/splice.c core/relay/splice.h \
	core/relay/statistics.c core/relay/statistics.h \
	core/relay/unwanted.c core/relay/unwanted.h \
	core/relay/wait.c core/relay/wait.h \
	core/session/blocking.c \
	core/session/children.c core/session/children.h \
	core/session/environment.c core/session/environment.h \
	core/session/layer.c core/session/layer.h \
	core/session/leftovers.c core/session/leftovers.h \
	core/session/lower.c \
	core/session/opening.c core/session/opening.h \
	core/session/parting.c core/session/parting.h \
	core/session/path.c \
	core/session/secret.c \
	core/session/serve.c core/session/serve.h \
	core/session/stage.c core/session/stage.h \
	core/session/session.c core/session/session.h \
	core/session/side.c core/session/side.h \
	core/tty/control.c \
	core/tty/keep.c \
	core/tty/pty.c \
	core/tty/settings.c \
	core/tty/size.c \
	core/tty/terminals.h

# It tells which libraries were missing when this was configured.
core/registry/known.$(OBJEXT): Makefile

# Drivers find the services in the program when they are loaded: all of them have to be in it,
# whether the program itself calls them or not, and nothing else of it is to be seen.
bin_PROGRAMS = modcat
modcat_SOURCES = core/main.c
modcat_LDADD =
modcat_DEPENDENCIES = libcore.a core/modcat.map
modcat_LDFLAGS = $(AM_LDFLAGS) -Wl,--whole-archive,libcore.a,--no-whole-archive \
	-Wl,--dynamic-list=$(top_srcdir)/core/modcat.map
EXTRA_DIST += core/modcat.map
