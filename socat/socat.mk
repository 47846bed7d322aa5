# What stands beside the command `socat`, in the package modcat-socat.
bin_PROGRAMS += filan procan
filan_SOURCES = socat/filan.c socat/options.c socat/options.h
filan_LDADD = libcore.a
procan_SOURCES = socat/procan.c socat/options.c socat/options.h

# The scripts have one text in common.
scripts = socat-chain.sh socat-mux.sh socat-broker.sh
bin_SCRIPTS = $(scripts)
CLEANFILES += $(scripts)
EXTRA_DIST += socat/common.sh socat/chain.sh socat/mux.sh socat/broker.sh
$(scripts): socat-%.sh: socat/common.sh socat/%.sh
	$(AM_V_GEN)cat $(srcdir)/socat/common.sh $(srcdir)/socat/$*.sh > $@.new && \
		chmod +x $@.new && mv -f $@.new $@
