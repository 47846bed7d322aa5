# Tests, for cmocka. Each unit test links libcore.a, or lists all the sources that it needs where it
# brings doubles of functions that libcore.a would pull in. Each system test links the harness, and
# gets the path of modcat in the environment.
tests/%.o: AM_CPPFLAGS += $(CMOCKA_CFLAGS)
tests/%_test: private LIBS += $(CMOCKA_LIBS)

# Which certificates a system trusts is no business of the tests.
AM_TESTS_ENVIRONMENT = MODCAT='$(abs_builddir)/modcat'; CC='$(CC)'; \
	MODCAT_DRIVER_CHECK='$(abs_builddir)/modcat-driver-check'; \
	SHELL=/bin/sh; SSL_CERT_FILE=/dev/null; SSL_CERT_DIR=/dev/null; \
	export MODCAT CC MODCAT_DRIVER_CHECK SHELL SSL_CERT_FILE SSL_CERT_DIR;

LOG_COMPILER = $(srcdir)/tests/alone
EXTRA_DIST += tests/alone

# Parts of drivers that stand alone.
pp_header = drivers/pp/header.c drivers/pp/header.h
proxy_message = drivers/proxy/message.c drivers/proxy/message.h
socks_message = drivers/socks/message.c drivers/socks/message.h
ws_parts = drivers/ws/bytes.c drivers/ws/bytes.h drivers/ws/connection.h drivers/ws/deflate.c \
	drivers/ws/digest.c drivers/ws/digest.h drivers/ws/endpoint.c drivers/ws/http.c drivers/ws/http.h \
	drivers/ws/incoming.c drivers/ws/mask.c drivers/ws/mask.h drivers/ws/outgoing.c \
	drivers/ws/terms.c drivers/ws/terms.h \
	drivers/ws/utf8.c drivers/ws/utf8.h drivers/ws/ws.h tests/unit/ws_lower.c tests/unit/ws_lower.h

# Unit tests stand beside a folder without drivers, and so see none that are installed.
check_DATA = tests/unit/drivers/.build-tree
CLEANFILES += $(check_DATA)
tests/unit/drivers/.build-tree:
	$(AM_V_at)$(MKDIR_P) $(@D)
	$(AM_V_at): >$@

unit_tests =
scratch = tests/unit/scratch.c tests/unit/scratch.h tests/skipping.h

unit_tests += tests/unit/bind_test
tests_unit_bind_test_SOURCES = tests/unit/bind_test.c $(scratch)
tests_unit_bind_test_LDADD = libcore.a

unit_tests += tests/unit/ancillary_test
tests_unit_ancillary_test_LDADD = libcore.a

unit_tests += tests/unit/packet_test
tests_unit_packet_test_LDADD = libcore.a

unit_tests += tests/unit/commandline_test
tests_unit_commandline_test_LDADD = libcore.a

unit_tests += tests/unit/convert_test
tests_unit_convert_test_LDADD = libcore.a

unit_tests += tests/unit/data_test
tests_unit_data_test_LDADD = libcore.a

unit_tests += tests/unit/dumpname_test
tests_unit_dumpname_test_LDADD = libcore.a

unit_tests += tests/unit/effects_test
tests_unit_effects_test_LDADD = libcore.a

unit_tests += tests/unit/environment_test
tests_unit_environment_test_LDADD = libcore.a

unit_tests += tests/unit/explain_test
tests_unit_explain_test_LDADD = libcore.a

unit_tests += tests/unit/failure_test
tests_unit_failure_test_LDADD = libcore.a

unit_tests += tests/unit/help_test
tests_unit_help_test_LDADD = libcore.a

unit_tests += tests/unit/layers_test
tests_unit_layers_test_LDADD = libcore.a
unit_tests += tests/unit/json_test
tests_unit_json_test_LDADD = libcore.a

unit_tests += tests/unit/leftovers_test
tests_unit_leftovers_test_SOURCES = tests/unit/leftovers_test.c $(scratch)
tests_unit_leftovers_test_LDADD = libcore.a

unit_tests += tests/unit/loop_test
tests_unit_loop_test_LDADD = libcore.a
tests_unit_loop_test_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=wait_now,--wrap=epoll_wait,--wrap=epoll_ctl

unit_tests += tests/unit/pool_test
tests_unit_pool_test_LDADD = libcore.a

unit_tests += tests/unit/lexer_test
tests_unit_lexer_test_LDADD = libcore.a

unit_tests += tests/unit/loader_test
tests_unit_loader_test_SOURCES = tests/unit/loader_test.c $(scratch)
tests_unit_loader_test_LDADD = libcore.a

unit_tests += tests/unit/log_test
tests_unit_log_test_LDADD = libcore.a

unit_tests += tests/unit/manifest_test
tests_unit_manifest_test_LDADD = libcore.a

unit_tests += tests/unit/parser_test
tests_unit_parser_test_LDADD = libcore.a

unit_tests += tests/unit/phases_test
tests_unit_phases_test_SOURCES = tests/unit/phases_test.c $(scratch)
tests_unit_phases_test_LDADD = libcore.a

unit_tests += tests/unit/flow_test
tests_unit_flow_test_LDADD = libcore.a
tests_unit_flow_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=wait_now,--wrap=taking_left

unit_tests += tests/unit/programs_test
tests_unit_programs_test_LDADD = libcore.a
tests_unit_programs_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=wait_now

unit_tests += tests/unit/progress_test
tests_unit_progress_test_LDADD = libcore.a

unit_tests += tests/unit/range_test
tests_unit_range_test_LDADD = libcore.a

unit_tests += tests/unit/registry_test
tests_unit_registry_test_SOURCES = tests/unit/registry_test.c $(scratch)
tests_unit_registry_test_LDADD = libcore.a

unit_tests += tests/unit/resolve_test
tests_unit_resolve_test_LDADD = libcore.a

unit_tests += tests/unit/signals_test
tests_unit_signals_test_LDADD = libcore.a

unit_tests += tests/unit/stage_test
tests_unit_stage_test_LDADD = libcore.a

unit_tests += tests/unit/sockaddr_test
tests_unit_sockaddr_test_LDADD = libcore.a

unit_tests += tests/unit/splice_test
tests_unit_splice_test_LDADD = libcore.a

unit_tests += tests/unit/termios_test
tests_unit_termios_test_SOURCES = tests/unit/termios_test.c drivers/pty/options.c \
	drivers/pty/termios.c
tests_unit_termios_test_LDADD = libcore.a

unit_tests += tests/unit/values_test
tests_unit_values_test_LDADD = libcore.a

unit_tests += tests/unit/pp_header_test
tests_unit_pp_header_test_SOURCES = tests/unit/pp_header_test.c $(pp_header)

unit_tests += tests/unit/proxy_message_test
tests_unit_proxy_message_test_SOURCES = tests/unit/proxy_message_test.c $(proxy_message)

unit_tests += tests/unit/socks_message_test
tests_unit_socks_message_test_SOURCES = tests/unit/socks_message_test.c $(socks_message)

if DRIVER_WS
unit_tests += tests/unit/ws_test
tests_unit_ws_test_SOURCES = tests/unit/ws_test.c $(ws_parts)
tests_unit_ws_test_LDADD = $(WS_LIBS)
endif

unit_tests += tests/unit/children_test
tests_unit_children_test_LDADD = libcore.a
unit_tests += tests/unit/patient_test
tests_unit_patient_test_LDADD = libcore.a
unit_tests += tests/unit/wait_test
tests_unit_wait_test_LDADD = libcore.a

unit_tests += tests/unit/words_test
tests_unit_words_test_LDADD = libcore.a

# They are no part of what is tested: sanitizers are for the program that they run.
tests/system/%.o tests/kernel/%.o: sanitize =
tests/system/%_test tests/kernel/%_test: private sanitize =
if SANITIZERS
tests/system/%.o tests/kernel/%.o: AM_CPPFLAGS += -DSANITIZED=1
endif

system_tests =
harness = tests/system/harness.c tests/system/harness.h tests/system/peers.c tests/system/peers.h \
	tests/skipping.h
network = $(harness) tests/system/network.c tests/system/network.h

system_tests += tests/system/command_test
tests_system_command_test_SOURCES = tests/system/command_test.c $(harness)

packets = tests/system/packets.c tests/system/packets.h
types = tests/system/types.c tests/system/types.h
workers = tests/system/workers.c tests/system/workers.h
covering = tests/system/covering.c tests/system/covering.h
certificates = tests/system/certificates.c tests/system/certificates.h
datagrams = tests/system/datagrams.c tests/system/datagrams.h

# The types that carry a stream. Those of TLS take certificates.
streams = tests/system/streams.c tests/system/stream_pairs.c tests/system/streams.h
if DRIVER_OPENSSL
streams += $(certificates)
streams_libs = $(OPENSSL_LIBS)
tests/system/streams.o: AM_CPPFLAGS += -DWITH_TLS
endif

# They run themselves in a user mode Linux, whose kernel has families of sockets that others lack.
# It has one processor, on which the second one takes long: they begin before others.
kernel = tests/kernel/boot.c tests/kernel/init.c tests/kernel/kernel.h

system_tests += tests/kernel/kernel_test
tests_kernel_kernel_test_SOURCES = tests/kernel/kernel_test.c $(kernel) $(harness)

system_tests += tests/kernel/matrix_test
tests_kernel_matrix_test_SOURCES = tests/kernel/matrix_test.c $(kernel) $(streams) $(types) \
	$(workers) $(packets) $(harness)
tests_kernel_matrix_test_LDADD = $(streams_libs)

system_tests += tests/system/coverage_test
tests_system_coverage_test_SOURCES = tests/system/coverage_test.c $(datagrams) $(streams) \
	$(types) $(packets) $(network)
tests_system_coverage_test_LDADD = $(streams_libs)

system_tests += tests/system/datagram_matrix_test
tests_system_datagram_matrix_test_SOURCES = tests/system/datagram_matrix_test.c $(datagrams) \
	$(streams) $(types) $(covering) $(workers) $(packets) $(network)
tests_system_datagram_matrix_test_LDADD = $(streams_libs)

system_tests += tests/system/ends_matrix_test
tests_system_ends_matrix_test_SOURCES = tests/system/ends_matrix_test.c tests/system/endings.c \
	tests/system/endings.h $(streams) $(types) $(covering) \
	$(workers) $(packets) $(harness)
tests_system_ends_matrix_test_LDADD = $(streams_libs)

system_tests += tests/system/ends_test
tests_system_ends_test_SOURCES = tests/system/ends_test.c $(harness)

system_tests += tests/system/bad_values_test
tests_system_bad_values_test_SOURCES = tests/system/bad_values_test.c $(harness)

system_tests += tests/system/entries_test
tests_system_entries_test_SOURCES = tests/system/entries_test.c $(harness)

system_tests += tests/system/errors_test
tests_system_errors_test_SOURCES = tests/system/errors_test.c $(harness)

system_tests += tests/system/exec_test
tests_system_exec_test_SOURCES = tests/system/exec_test.c $(harness)

system_tests += tests/system/files_test
tests_system_files_test_SOURCES = tests/system/files_test.c $(harness)

system_tests += tests/system/text_test
tests_system_text_test_SOURCES = tests/system/text_test.c $(harness)

system_tests += tests/system/soak_test
tests_system_soak_test_SOURCES = tests/system/soak_test.c $(harness)

system_tests += tests/system/fork_test
tests_system_fork_test_SOURCES = tests/system/fork_test.c $(harness)

jail = tests/system/jail.c tests/system/jail.h
system_tests += tests/system/jail_test
tests_system_jail_test_SOURCES = tests/system/jail_test.c $(jail) $(harness)

system_tests += tests/system/namespace_test
tests_system_namespace_test_SOURCES = tests/system/namespace_test.c $(jail) $(network)

jail_libraries = tests/system/jail_libraries_test.c $(jail) $(terminal)
if DRIVER_OPENSSL
jail_libraries += $(certificates)
jail_libraries_libs = $(OPENSSL_LIBS)
tests/system/jail_libraries_test.o: AM_CPPFLAGS += -DWITH_TLS
endif
if DRIVER_READLINE
tests/system/jail_libraries_test.o: AM_CPPFLAGS += -DWITH_READLINE
endif
system_tests += tests/system/jail_libraries_test
tests_system_jail_libraries_test_SOURCES = $(jail_libraries)
tests_system_jail_libraries_test_LDADD = $(jail_libraries_libs)

failover = tests/system/failover_test.c $(harness)
if DRIVER_OPENSSL
failover += $(certificates)
failover_libs = $(OPENSSL_LIBS)
tests/system/failover_test.o: AM_CPPFLAGS += -DWITH_TLS
endif
system_tests += tests/system/failover_test
tests_system_failover_test_SOURCES = $(failover)
tests_system_failover_test_LDADD = $(failover_libs)

keep = tests/system/keep_test.c $(harness)
if DRIVER_OPENSSL
keep += $(certificates)
keep_libs = $(OPENSSL_LIBS)
tests/system/keep_test.o: AM_CPPFLAGS += -DWITH_TLS
endif
system_tests += tests/system/keep_test
tests_system_keep_test_SOURCES = $(keep)
tests_system_keep_test_LDADD = $(keep_libs)

system_tests += tests/system/listen_test
tests_system_listen_test_SOURCES = tests/system/listen_test.c $(harness)

proxies = tests/system/proxies.c tests/system/proxies.h

system_tests += tests/system/proxy_test
tests_system_proxy_test_SOURCES = tests/system/proxy_test.c $(harness) $(proxies)

system_tests += tests/system/program_test
tests_system_program_test_SOURCES = tests/system/program_test.c $(harness)
system_tests += tests/system/parting_test
tests_system_parting_test_SOURCES = tests/system/parting_test.c $(packets) $(harness)

system_tests += tests/system/program_ends_matrix_test
tests_system_program_ends_matrix_test_SOURCES = tests/system/program_ends_matrix_test.c \
	tests/system/end_table.c tests/system/end_table.h tests/system/probe.c \
	tests/system/probe.h $(covering) $(workers) $(packets) $(harness)
EXTRA_DIST += tests/system/ends.rows

system_tests += tests/system/program_end_test
tests_system_program_end_test_SOURCES = tests/system/program_end_test.c $(harness)

system_tests += tests/system/matrix_test
tests_system_matrix_test_SOURCES = tests/system/matrix_test.c $(streams) $(types) $(workers) \
	$(packets) $(harness)
tests_system_matrix_test_LDADD = $(streams_libs)

system_tests += tests/system/relay_test
tests_system_relay_test_SOURCES = tests/system/relay_test.c $(harness)

system_tests += tests/system/requests_test
tests_system_requests_test_SOURCES = tests/system/requests_test.c $(packets) $(harness)

system_tests += tests/system/controls_test
tests_system_controls_test_SOURCES = tests/system/controls_test.c $(harness)

system_tests += tests/system/secrets_test
tests_system_secrets_test_SOURCES = tests/system/secrets_test.c $(harness)

system_tests += tests/system/secrets_memory_test
tests_system_secrets_memory_test_SOURCES = tests/system/secrets_memory_test.c $(harness) \
	$(certificates) $(proxies)
tests_system_secrets_memory_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/signals_test
tests_system_signals_test_SOURCES = tests/system/signals_test.c $(harness)

system_tests += tests/system/pp_test
tests_system_pp_test_SOURCES = tests/system/pp_test.c $(harness) $(proxies)

system_tests += tests/system/socks_test
tests_system_socks_test_SOURCES = tests/system/socks_test.c $(harness) $(proxies)

if DRIVER_WS
system_tests += tests/system/ws_test
tests_system_ws_test_SOURCES = tests/system/ws_test.c tests/system/ws_digest.c \
	drivers/ws/digest.h $(harness) $(proxies)
endif

system_tests += tests/system/posixmq_test
tests_system_posixmq_test_SOURCES = tests/system/posixmq_test.c $(harness)

system_tests += tests/system/interface_test
tests_system_interface_test_SOURCES = tests/system/interface_test.c $(network)

system_tests += tests/system/tun_test
tests_system_tun_test_SOURCES = tests/system/tun_test.c $(network)

if DRIVER_TCPWRAP
system_tests += tests/system/tcpwrap_test
tests_system_tcpwrap_test_SOURCES = tests/system/tcpwrap_test.c $(jail) $(harness)
endif

if DRIVER_OPENSSL
system_tests += tests/kernel/tls_test
tests_kernel_tls_test_SOURCES = tests/kernel/tls_test.c $(kernel) $(certificates) $(harness)
tests_kernel_tls_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/tls_corpus_test
tests_system_tls_corpus_test_SOURCES = tests/system/tls_corpus_test.c $(harness) $(certificates)
tests_system_tls_corpus_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/layer_test
tests_system_layer_test_SOURCES = tests/system/layer_test.c $(harness) $(certificates) $(proxies)
tests_system_layer_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/tunnel_test
tests_system_tunnel_test_SOURCES = tests/system/tunnel_test.c $(harness) $(certificates) $(proxies)
tests_system_tunnel_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/openssl_test
tests_system_openssl_test_SOURCES = tests/system/openssl_test.c $(harness) $(certificates)
tests_system_openssl_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/dtls_test
tests_system_dtls_test_SOURCES = tests/system/dtls_test.c $(packets) $(harness) $(certificates)
tests_system_dtls_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/tls_names_test
tests_system_tls_names_test_SOURCES = tests/system/tls_names_test.c $(harness) $(certificates)
tests_system_tls_names_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/tls_peers_test
tests_system_tls_peers_test_SOURCES = tests/system/tls_peers_test.c $(harness) $(certificates)
tests_system_tls_peers_test_LDADD = $(OPENSSL_LIBS)

system_tests += tests/system/tls_files_test
tests_system_tls_files_test_SOURCES = tests/system/tls_files_test.c $(harness) $(certificates)
tests_system_tls_files_test_LDADD = $(OPENSSL_LIBS)
endif

terminal = $(harness) tests/system/terminal.c tests/system/terminal.h

system_tests += tests/system/pty_test
tests_system_pty_test_SOURCES = tests/system/pty_test.c $(harness)

if DRIVER_READLINE
system_tests += tests/system/readline_test
tests_system_readline_test_SOURCES = tests/system/readline_test.c $(terminal)
endif

system_tests += tests/system/shortage_test
tests_system_shortage_test_SOURCES = tests/system/shortage_test.c $(packets) $(harness)

halts = tests/system/halts.c tests/system/halts.h tests/system/terminal.c \
	tests/system/terminal.h $(packets)

system_tests += tests/system/halts_test
tests_system_halts_test_SOURCES = tests/system/halts_test.c $(halts) $(harness)
if DRIVER_READLINE
tests/system/halts_test.o: AM_CPPFLAGS += -DWITH_READLINE
endif

if DRIVER_OPENSSL
system_tests += tests/system/tls_halts_test
tests_system_tls_halts_test_SOURCES = tests/system/tls_halts_test.c $(halts) $(certificates) \
	$(harness)
tests_system_tls_halts_test_LDADD = $(OPENSSL_LIBS)
endif

system_tests += tests/system/stalled_test
tests_system_stalled_test_SOURCES = tests/system/stalled_test.c $(terminal)

system_tests += tests/system/terminal_test
tests_system_terminal_test_SOURCES = tests/system/terminal_test.c $(terminal)

system_tests += tests/system/advisories_test
tests_system_advisories_test_SOURCES = tests/system/advisories_test.c $(terminal) $(proxies)
if DRIVER_READLINE
tests/system/advisories_test.o: AM_CPPFLAGS += -DWITH_READLINE
endif

system_tests += tests/system/generic_test
tests_system_generic_test_SOURCES = tests/system/generic_test.c $(packets) $(harness)

system_tests += tests/system/batch_test
tests_system_batch_test_SOURCES = tests/system/batch_test.c $(packets) $(harness)

system_tests += tests/system/multicast_test
tests_system_multicast_test_SOURCES = tests/system/multicast_test.c $(packets) $(harness)

system_tests += tests/system/rawip_test
tests_system_rawip_test_SOURCES = tests/system/rawip_test.c $(packets) $(harness)

system_tests += tests/system/unreachable_test
tests_system_unreachable_test_SOURCES = tests/system/unreachable_test.c \
	tests/system/firewall.c tests/system/firewall.h $(packets) $(network)

system_tests += tests/system/udp_test
tests_system_udp_test_SOURCES = tests/system/udp_test.c $(packets) $(harness)

system_tests += tests/system/hosting_test
tests_system_hosting_test_SOURCES = tests/system/hosting_test.c $(harness)

system_tests += tests/system/unix_test
tests_system_unix_test_SOURCES = tests/system/unix_test.c $(packets) $(harness)
system_tests += tests/system/watch_test
tests_system_watch_test_SOURCES = tests/system/watch_test.c $(harness)

if TESTS_BUILT
check_PROGRAMS += $(unit_tests) $(system_tests)
TESTS += $(unit_tests) $(system_tests)

# Those of servers once more, with sessions that share a process.
TESTS += tests/system/hosted_test
endif
dist_check_SCRIPTS += tests/system/hosted_test

# The sanitizers' own symbols are exported as well.
dist_check_SCRIPTS += tests/abi/exports_test tests/abi/headers_test
TESTS += tests/abi/headers_test
if !SANITIZERS
TESTS += tests/abi/exports_test
endif

dist_check_SCRIPTS += tests/structure/floors_test
TESTS += tests/structure/floors_test

# The driver kit: what authors of drivers get, and what is not loaded.
kit_tests = tests/kit/abi_test tests/kit/completion_test tests/kit/cplusplus_test \
	tests/kit/crash_test tests/kit/driver_check_test tests/kit/ends_test tests/kit/example_test \
	tests/kit/introspection_test tests/kit/lively_test tests/kit/loading_test tests/kit/new_test \
	tests/kit/options_test tests/kit/own_drivers_test
dist_check_SCRIPTS += $(kit_tests)
EXTRA_DIST += tests/kit/testing.sh tests/abi/first.c tests/abi/first.driver tests/abi/first.so \
	tests/abi/services.abi tests/abi/tables.abi tests/drivers/addresses tests/drivers/careless.c \
	tests/drivers/crashing.c tests/drivers/ends.c tests/drivers/leaky.c tests/drivers/lively.c \
	tests/drivers/plain.c tests/drivers/plusplus.cc tests/drivers/stubborn.c \
	tests/drivers/talkative.c tests/drivers/wordy.c
TESTS += $(kit_tests)

# The programs and scripts that stand beside the command `socat`, and what others use it for.
socat_tests = tests/socat/comparison_test tests/socat/consoles_test tests/socat/descriptors_test \
	tests/socat/galera_test tests/socat/programs_test tests/socat/scripts_test tests/socat/services_test \
	tests/socat/ssh_test
dist_check_SCRIPTS += $(socat_tests)
check_PROGRAMS += tests/socat/await
tests_socat_await_SOURCES = tests/socat/await.c
tests_socat_await_LDADD =
EXTRA_DIST += tests/socat/comparison.py tests/socat/comparison.rows tests/socat/descriptors.py \
	tests/socat/users.sh
TESTS += $(socat_tests)

# Takes Debian's tools, and builds all once more: .ci/run runs it, make check does not.
dist_check_SCRIPTS += tests/packages/packages_test
# Builds all several times: likewise.
dist_check_SCRIPTS += tests/builds/builds_test
EXTRA_DIST += tests/builds/switch.c
# Takes root and Debian's mirror: likewise.
dist_check_SCRIPTS += tests/fresh/fresh_test

# The manuals: they say what the tables say, and their examples work.
manual_tests = tests/manuals/compat_test tests/manuals/ends_test tests/manuals/pages_test \
	tests/manuals/tables_test tests/manuals/examples_test
dist_check_SCRIPTS += $(manual_tests)
EXTRA_DIST += tests/manuals/reading.sh tests/manuals/socat.words
TESTS += $(manual_tests)

# For tools/check quick: the unit tests, and one system test of each area that takes seconds.
quick_tests = tests/kit/introspection_test tests/kit/loading_test tests/abi/headers_test \
	tests/manuals/tables_test tests/structure/floors_test
if TESTS_BUILT
quick_tests += $(unit_tests) tests/system/errors_test tests/system/exec_test \
	tests/system/files_test tests/system/listen_test tests/system/proxy_test tests/system/pty_test \
	tests/system/rawip_test tests/system/relay_test tests/system/socks_test tests/system/udp_test \
	tests/system/unix_test
if DRIVER_OPENSSL
quick_tests += tests/system/layer_test
endif
endif

# Only these are built, and not all that `make check` takes.
.PHONY: check-quick
check-quick: all
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(quick_tests)'

# What `make distcheck` has built is gone afterwards; now is the time to tell what its tests said.
installcheck-local:
	@test ! -f test-suite.log || $(top_srcdir)/tools/results .

# For tools/fuzz only: they take clang.
EXTRA_PROGRAMS += tests/fuzz/address_fuzz
tests_fuzz_address_fuzz_LDADD = libcore.a
tests_fuzz_address_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_PROGRAMS += tests/fuzz/pp_fuzz
tests_fuzz_pp_fuzz_SOURCES = tests/fuzz/pp_fuzz.c $(pp_header)
tests_fuzz_pp_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_PROGRAMS += tests/fuzz/proxy_fuzz
tests_fuzz_proxy_fuzz_SOURCES = tests/fuzz/proxy_fuzz.c $(proxy_message)
tests_fuzz_proxy_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

EXTRA_PROGRAMS += tests/fuzz/socks_fuzz
tests_fuzz_socks_fuzz_SOURCES = tests/fuzz/socks_fuzz.c $(socks_message)
tests_fuzz_socks_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer

if DRIVER_WS
EXTRA_PROGRAMS += tests/fuzz/ws_fuzz
tests_fuzz_ws_fuzz_SOURCES = tests/fuzz/ws_fuzz.c $(ws_parts)
tests_fuzz_ws_fuzz_LDADD = $(WS_LIBS)
tests_fuzz_ws_fuzz_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
endif

# For tools/random-sessions.
if TESTS_BUILT
noinst_PROGRAMS += tests/random/sessions
endif
tests/random/%.o: AM_CPPFLAGS += $(CMOCKA_CFLAGS)
tests/random/%.o: sanitize =
tests/random/%ions: private sanitize =
tests/random/%ions: private LIBS += $(CMOCKA_LIBS)
tests_random_sessions_SOURCES = \
	tests/random/couple.c tests/random/couple.h \
	tests/random/files.c \
	tests/random/main.c \
	tests/random/packets.c \
	tests/random/processes.c tests/random/processes.h \
	tests/random/programs.c \
	tests/random/servers.c \
	tests/random/streams.c \
	tests/random/traffic.c tests/random/traffic.h \
	tests/random/trial.c tests/random/trial.h \
	$(datagrams) $(streams) $(types) $(packets) $(network)
tests_random_sessions_LDADD = $(streams_libs)

# For tools/bench.
noinst_PROGRAMS += tests/bench/bench
tests_bench_bench_SOURCES = \
	tests/bench/bench.c tests/bench/bench.h \
	tests/bench/bulk.c \
	tests/bench/chart.c tests/bench/chart.h tests/bench/machine.c tests/bench/machine.h \
	tests/bench/contenders.c tests/bench/contenders.h \
	tests/bench/ends.c tests/bench/ends.h \
	tests/bench/packets.c \
	tests/bench/sessions.c \
	tests/bench/tls.c \
	tests/bench/works.c tests/bench/works.h
tests_bench_bench_LDADD = -lm
