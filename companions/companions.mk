# What stands beside the command `socat`, in the package modcat-socat.
bin_PROGRAMS += filan procan
filan_SOURCES = companions/filan.c companions/options.c companions/options.h
filan_LDADD = libcore.a
procan_SOURCES = companions/procan.c companions/options.c companions/options.h

# The scripts have one text in common.
scripts = socat-chain.sh socat-mux.sh socat-broker.sh
bin_SCRIPTS = $(scripts)
CLEANFILES += $(scripts)
EXTRA_DIST += companions/common.sh companions/chain.sh companions/mux.sh companions/broker.sh
$(scripts): socat-%.sh: companions/common.sh companions/%.sh
	$(AM_V_GEN)cat $(srcdir)/companions/common.sh $(srcdir)/companions/$*.sh > $@.new && \
		chmod +x $@.new && mv -f $@.new $@
