# The program. All of it but main.c is in an archive too, for unit tests to link what they need.
noinst_LIBRARIES = libcore.a
libcore_a_SOURCES = \
	core/base/entry.c core/base/entry.h \
	core/base/fail_call.c \
	core/base/failure.c core/base/failure.h \
	core/base/hint.c core/base/hint.h \
	core/base/json.c core/base/json.h \
	core/base/limits.c core/base/limits.h \
	core/base/lockfile.c core/base/lockfile.h \
	core/base/log.c core/base/log.h \
	core/base/memory.c core/base/memory.h \
	core/base/moment.c core/base/moment.h \
	core/base/outlet.c core/base/outlet.h \
	core/base/output_file.c core/base/output_file.h \
	core/base/patient.c core/base/patient.h \
	core/base/printable.c core/base/printable.h \
	core/base/procfs.c core/base/procfs.h \
	core/base/sanitizers.h \
	core/base/secrets.c core/base/secrets.h \
	core/base/settings.h \
	core/base/shortage.c core/base/shortage.h \
	core/base/signals.c core/base/signals.h \
	core/base/sockaddr.c core/base/sockaddr.h \
	core/base/system_calls.h \
	core/base/system_log.c core/base/system_log.h \
	core/base/version.c core/base/version.h \
	core/base/wait.c core/base/wait.h \
	core/base/words.c core/base/words.h \
	core/loop/deadlines.c core/loop/deadlines.h \
	core/loop/interest.c core/loop/interest.h \
	core/loop/loop.c core/loop/loop.h \
	core/loop/pool.c core/loop/pool.h \
	core/loop/stack.c core/loop/stack.h \
	core/loop/switch.c core/loop/switch.h core/loop/switch_stack.S \
	core/values/groups.c core/values/groups.h \
	core/values/range.c core/values/range.h \
	core/values/values.c core/values/values.h \
	core/registry/acl.c core/registry/acl.h \
	core/registry/guard.c core/registry/guard.h \
	core/registry/known.c core/registry/known.h core/registry/known_words.inc \
	core/registry/load.c \
	core/registry/loader.c core/registry/loader.h \
	core/registry/manifest.c core/registry/manifest.h \
	core/registry/object.c core/registry/object.h \
	core/registry/registry.c core/registry/registry.h \
	core/registry/search.c core/registry/search.h \
	core/registry/tables.c core/registry/tables.h \
	core/registry/trust.c core/registry/trust.h \
	core/registry/walk.c core/registry/walk.h \
	core/address/address.h \
	core/address/bind.c core/address/bind.h \
	core/address/explain.c \
	core/address/hints.c core/address/hints.h \
	core/address/lexer.c core/address/lexer.h \
	core/address/mask.c core/address/mask.h \
	core/address/network.c core/address/network.h \
	core/address/params.c core/address/params.h \
	core/address/parser.c \
	core/opening/blocking.c \
	core/opening/environment.c core/opening/environment.h \
	core/opening/leftovers.c core/opening/leftovers.h \
	core/opening/complaint.c core/opening/complaint.h core/opening/opening.c core/opening/opening.h \
	core/opening/share.c core/opening/share.h \
	core/opening/opening_settings.c core/opening/opening_settings.h \
	core/opening/session_state.c core/opening/session_state.h \
	core/options/account.c core/options/account.h \
	core/options/appl.c \
	core/options/apply.c core/options/apply.h \
	core/options/confine.c core/options/confine.h \
	core/options/data.c \
	core/options/effects.c core/options/effects.h \
	core/options/fd.c \
	core/options/file.c \
	core/options/fork.c \
	core/options/identity.c core/options/identity.h \
	core/options/namespaces.c core/options/namespaces.h \
	core/options/process_state.c core/options/process_state.h \
	core/services/net/connect.c \
	core/services/net/filter.c core/services/net/filter.h \
	core/services/net/listen.c \
	core/services/net/local.c core/services/net/local.h \
	core/services/net/lookup.c core/services/net/lookup.h \
	core/services/net/membership.c core/services/net/membership.h \
	core/services/net/options_ip.c \
	core/services/net/options_listen.c \
	core/services/net/options_resolver.c core/services/net/options_resolver.h \
	core/services/net/options_socket.c \
	core/services/net/peer.c core/services/net/peer.h \
	core/services/net/resolve.c core/services/net/resolve.h \
	core/services/net/socket.c core/services/net/socket.h \
	core/services/net/transport.c core/services/net/transport.h \
	core/services/net/unix.c core/services/net/unix.h \
	core/services/net/unix_client.c \
	core/services/net/unix_unread.c core/services/net/unix_unread.h \
	core/services/datagram/admission.c core/services/datagram/admission.h \
	core/services/datagram/ancillary.c core/services/datagram/ancillary.h \
	core/services/datagram/batch.c core/services/datagram/batch.h \
	core/services/datagram/listen_packets.c \
	core/services/datagram/operations.c core/services/datagram/operations.h \
	core/services/datagram/packet.c core/services/datagram/packet.h \
	core/services/datagram/receive_from.c \
	core/services/datagram/sendto.c \
	core/services/datagram/types.c \
	core/services/process/channel.c core/services/process/channel.h \
	core/services/process/children.c core/services/process/children.h \
	core/services/process/command.c \
	core/services/process/exec.c core/services/process/exec.h \
	core/services/process/programs.c core/services/process/programs.h \
	core/services/process/spawn.c \
	core/services/process/stage.c core/services/process/stage.h \
	core/services/tty/control.c \
	core/services/tty/keep.c \
	core/services/tty/line.c \
	core/services/tty/pty.c \
	core/services/tty/size.c \
	core/services/tty/terminals.h \
	core/services/tty/termios.c \
	core/services/files/path.c core/services/files/path.h \
	core/services/files/secret.c \
	core/session/endpoint.c core/session/endpoint.h \
	core/session/forget.c core/session/forget.h \
	core/session/halfclose.c core/session/halfclose.h \
	core/session/layer.c core/session/layer.h \
	core/session/lower.c \
	core/session/news.c core/session/news.h \
	core/session/parting.c core/session/parting.h \
	core/session/session.c core/session/session.h \
	core/session/taking.c core/session/taking.h \
	core/relay/attention.c core/relay/attention.h \
	core/relay/buffers.c core/relay/buffers.h \
	core/relay/convert.c core/relay/convert.h \
	core/relay/dump.c core/relay/dump.h \
	core/relay/dumpname.c core/relay/dumpname.h \
	core/relay/flow.c core/relay/flow.h \
	core/relay/lines.c core/relay/lines.h \
	core/relay/lost.c core/relay/lost.h \
	core/relay/overflow.c core/relay/overflow.h \
	core/relay/moving.h \
	core/relay/nature.c core/relay/nature.h \
	core/relay/progress.c core/relay/progress.h \
	core/relay/failing.c \
	core/relay/over.c core/relay/over.h \
	core/relay/relay.c core/relay/relay.h core/relay/relay_state.h \
	core/relay/screen.c core/relay/screen.h \
	core/relay/sink.c \
	core/relay/source.c \
	core/relay/splice.c core/relay/splice.h \
	core/relay/splicing.c \
	core/relay/statistics.c core/relay/statistics.h \
	core/relay/unwanted.c core/relay/unwanted.h \
	core/serve/crash.c core/serve/crash.h \
	core/serve/culprit.c core/serve/culprit.h \
	core/serve/hangs.c core/serve/hangs.h \
	core/serve/fork.c core/serve/fork.h \
	core/serve/hosting.c core/serve/hosting.h \
	core/serve/serve.c core/serve/serve.h \
	core/serve/workers.c core/serve/workers.h \
	core/serve/ends.c core/serve/ends.h \
	core/serve/sides.c core/serve/sides.h \
	core/command/commandline.c core/command/commandline.h \
	core/command/compat.c core/command/compat.h \
	core/command/complete.c core/command/complete.h \
	core/command/defaults.c core/command/defaults.h \
	core/command/describe.c core/command/describe.h \
	core/command/describe_json.h \
	core/command/describe_type.c \
	core/command/descriptor.c core/command/descriptor.h \
	core/command/descriptor_short.c \
	core/command/descriptor_socket.c core/command/descriptor_socket.h \
	core/command/descriptors.c core/command/descriptors.h \
	core/command/features.c core/command/features.h \
	core/command/help.c core/command/help.h \
	core/command/json_writer.c core/command/json_writer.h \
	core/command/mistakes.c core/command/mistakes.h \
	core/command/numbers.c core/command/numbers.h \
	core/command/wrap.c core/command/wrap.h

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
