# Each driver is one shared object, linked by the compiler alone, with a manifest beside it that is
# made from its own tables. A driver is two lines here and one in configure.ac; one that needs a
# library stands between `if DRIVER_NAME` and `endif`, and adds NAME_CFLAGS and NAME_LIBS:
#
#   drivers/NAME/%.o: AM_CPPFLAGS += $(NAME_CFLAGS)
#   drivers_NAME_so_LDADD = $(NAME_LIBS)
driverlib_PROGRAMS =

driverlib_PROGRAMS += drivers/stdio.so
drivers_stdio_so_SOURCES = drivers/stdio/stdio.c

driverlib_PROGRAMS += drivers/fd.so
drivers_fd_so_SOURCES = drivers/fd/fd.c

driverlib_PROGRAMS += drivers/file.so
drivers_file_so_SOURCES = drivers/file/file.c

driverlib_PROGRAMS += drivers/pipe.so
drivers_pipe_so_SOURCES = drivers/pipe/pipe.c

driverlib_PROGRAMS += drivers/text.so
drivers_text_so_SOURCES = drivers/text/text.c

driverlib_PROGRAMS += drivers/failover.so
drivers_failover_so_SOURCES = drivers/failover/failover.c drivers/failover/common.c \
	drivers/failover/common.h drivers/failover/order.c drivers/failover/order.h \
	drivers/failover/tally.c drivers/failover/tally.h

driverlib_PROGRAMS += drivers/keep.so
drivers_keep_so_SOURCES = drivers/keep/keep.c drivers/keep/keep.h drivers/keep/away.c \
	drivers/keep/endpoint.c drivers/keep/held.c drivers/keep/held.h

driverlib_PROGRAMS += drivers/socketpair.so
drivers_socketpair_so_SOURCES = drivers/socketpair/socketpair.c

driverlib_PROGRAMS += drivers/proxy.so
drivers_proxy_so_SOURCES = drivers/proxy/proxy.c drivers/proxy/message.c drivers/proxy/message.h \
	drivers/proxy/wish.c drivers/proxy/wish.h

driverlib_PROGRAMS += drivers/pp.so
drivers_pp_so_SOURCES = drivers/pp/pp.c drivers/pp/pp.h drivers/pp/header.c drivers/pp/header.h \
	drivers/pp/messages.c drivers/pp/receive.c drivers/pp/send.c drivers/pp/wish.c

driverlib_PROGRAMS += drivers/socks.so
drivers_socks_so_SOURCES = drivers/socks/socks.c drivers/socks/socks.h \
	drivers/socks/handshake.c drivers/socks/message.c drivers/socks/message.h \
	drivers/socks/wish.c

driverlib_PROGRAMS += drivers/tcp.so
drivers_tcp_so_SOURCES = drivers/tcp/tcp.c

driverlib_PROGRAMS += drivers/udp.so
drivers_udp_so_SOURCES = drivers/udp/udp.c

driverlib_PROGRAMS += drivers/udplite.so
drivers_udplite_so_SOURCES = drivers/udplite/udplite.c

driverlib_PROGRAMS += drivers/rawip.so
drivers_rawip_so_SOURCES = drivers/rawip/rawip.c

driverlib_PROGRAMS += drivers/unix.so
drivers_unix_so_SOURCES = drivers/unix/unix.c

driverlib_PROGRAMS += drivers/generic.so
drivers_generic_so_SOURCES = drivers/generic/generic.c

if DRIVER_SCTP
driverlib_PROGRAMS += drivers/sctp.so
drivers_sctp_so_SOURCES = drivers/sctp/sctp.c
endif

driverlib_PROGRAMS += drivers/dccp.so
drivers_dccp_so_SOURCES = drivers/dccp/dccp.c

driverlib_PROGRAMS += drivers/vsock.so
drivers_vsock_so_SOURCES = drivers/vsock/vsock.c

driverlib_PROGRAMS += drivers/interface.so
drivers_interface_so_SOURCES = drivers/interface/interface.c

driverlib_PROGRAMS += drivers/tun.so
drivers_tun_so_SOURCES = drivers/tun/tun.c

driverlib_PROGRAMS += drivers/posixmq.so
drivers_posixmq_so_SOURCES = drivers/posixmq/posixmq.c

if DRIVER_TCPWRAP
driverlib_PROGRAMS += drivers/tcpwrap.so
drivers_tcpwrap_so_SOURCES = drivers/tcpwrap/tcpwrap.c
drivers_tcpwrap_so_LDADD = $(TCPWRAP_LIBS)
endif

if DRIVER_WS
driverlib_PROGRAMS += drivers/ws.so
drivers_ws_so_SOURCES = drivers/ws/ws.c drivers/ws/ws.h \
	drivers/ws/bytes.c drivers/ws/bytes.h drivers/ws/connection.h drivers/ws/deflate.c \
	drivers/ws/digest.c drivers/ws/digest.h drivers/ws/endpoint.c drivers/ws/handshake.c \
	drivers/ws/http.c drivers/ws/http.h drivers/ws/incoming.c drivers/ws/mask.c drivers/ws/mask.h drivers/ws/outgoing.c \
	drivers/ws/terms.c drivers/ws/terms.h drivers/ws/utf8.c drivers/ws/utf8.h drivers/ws/wish.c
drivers_ws_so_LDADD = $(WS_LIBS)
endif

if DRIVER_OPENSSL
driverlib_PROGRAMS += drivers/openssl.so
drivers_openssl_so_SOURCES = drivers/openssl/openssl.c drivers/openssl/tls.h \
	drivers/openssl/bio.c drivers/openssl/context.c drivers/openssl/cookie.c \
	drivers/openssl/endpoint.c drivers/openssl/files.c drivers/openssl/handshake.c \
	drivers/openssl/identity.c drivers/openssl/library.c \
	drivers/openssl/names.c \
	drivers/openssl/rehearse.c drivers/openssl/secrets.c drivers/openssl/session.c drivers/openssl/verify.c
drivers/openssl/%.o: AM_CPPFLAGS += $(OPENSSL_CFLAGS)
drivers_openssl_so_LDADD = $(OPENSSL_LIBS)
endif

driverlib_PROGRAMS += drivers/exec.so
drivers_exec_so_SOURCES = drivers/exec/exec.c

driverlib_PROGRAMS += drivers/pty.so
drivers_pty_so_SOURCES = drivers/pty/pty.c drivers/pty/options.c drivers/pty/options.h \
	drivers/pty/termios.c drivers/pty/termios.h

if DRIVER_READLINE
driverlib_PROGRAMS += drivers/readline.so
drivers_readline_so_SOURCES = drivers/readline/readline.c drivers/readline/history_file.c \
	drivers/readline/history_file.h
drivers_readline_so_LDADD = $(READLINE_LIBS)
drivers/readline/%.o: AM_CPPFLAGS += $(READLINE_CFLAGS)
endif

# A driver sees the public headers only, and shows the one symbol of MODCAT_DRIVER only.
drivers/%.o: AM_CPPFLAGS = -I$(top_srcdir)/include \
	-DMODCAT_DRIVER_VERSION='"$(PACKAGE_VERSION)"' $(MODCAT_CPPFLAGS)
drivers/%.o: AM_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden $(MODCAT_CFLAGS) $(sanitize)
drivers/%.so: AM_LDFLAGS = -shared $(MODCAT_LDFLAGS) $(sanitize)

driverlib_DATA = $(driverlib_PROGRAMS:.so=.driver)
CLEANFILES += $(driverlib_DATA)
drivers/%.driver: drivers/%.so modcat drivers/.build-tree
	$(AM_V_GEN)./modcat --describe-driver $< > $@.new && mv -f $@.new $@

# Tells the program beside this folder to look here for its drivers.
noinst_DATA += drivers/.build-tree
CLEANFILES += drivers/.build-tree
drivers/.build-tree:
	$(AM_V_GEN)mkdir -p drivers && : > $@
