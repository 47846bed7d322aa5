# The manual pages. That of a driver which takes a library is installed where the driver is.
dist_man_MANS = man/modcat.1 man/modcat-driver-check.1 man/modcat-driver-new.1 man/modcat-driver.3 man/modcat-options.7
dist_man_MANS += man/filan.1 man/procan.1
dist_man_MANS += man/socat-broker.sh.1 man/socat-chain.sh.1 man/socat-mux.sh.1
dist_man_MANS += man/modcat-compat.7
dist_man_MANS += man/modcat-dccp.7
dist_man_MANS += man/modcat-exec.7
dist_man_MANS += man/modcat-failover.7
dist_man_MANS += man/modcat-fd.7
dist_man_MANS += man/modcat-file.7
dist_man_MANS += man/modcat-generic.7
dist_man_MANS += man/modcat-interface.7
dist_man_MANS += man/modcat-keep.7
dist_man_MANS += man/modcat-pipe.7
dist_man_MANS += man/modcat-posixmq.7
dist_man_MANS += man/modcat-pp.7
dist_man_MANS += man/modcat-proxy.7
dist_man_MANS += man/modcat-pty.7
dist_man_MANS += man/modcat-rawip.7
dist_man_MANS += man/modcat-socketpair.7
dist_man_MANS += man/modcat-socks.7
dist_man_MANS += man/modcat-stdio.7
dist_man_MANS += man/modcat-tcp.7
dist_man_MANS += man/modcat-text.7
dist_man_MANS += man/modcat-tun.7
dist_man_MANS += man/modcat-udp.7
dist_man_MANS += man/modcat-udplite.7
dist_man_MANS += man/modcat-unix.7
dist_man_MANS += man/modcat-vsock.7
if DRIVER_OPENSSL
dist_man_MANS += man/modcat-openssl.7
endif
if DRIVER_READLINE
dist_man_MANS += man/modcat-readline.7
endif
if DRIVER_SCTP
dist_man_MANS += man/modcat-sctp.7
endif
if DRIVER_TCPWRAP
dist_man_MANS += man/modcat-tcpwrap.7
endif
if DRIVER_WS
dist_man_MANS += man/modcat-ws.7
endif
