dist_noinst_SCRIPTS = tools/abi-baseline tools/bench tools/check tools/figures tools/format tools/fuzz \
	tools/install-packages tools/known-words \
	tools/quickstart tools/random-sessions tools/results tools/setup

# Checks drivers, with the program's own code: it shows drivers the same services as modcat does.
bin_PROGRAMS += modcat-driver-check
modcat_driver_check_SOURCES = tools/driver-check/main.c tools/driver-check/check.h \
	tools/driver-check/object.c tools/driver-check/opening.c tools/driver-check/process.c \
	tools/driver-check/process.h tools/driver-check/steps.c tools/driver-check/steps.h tools/driver-check/run.c \
	tools/driver-check/tables.c
modcat_driver_check_LDADD =
modcat_driver_check_DEPENDENCIES = libcore.a core/modcat.map
modcat_driver_check_LDFLAGS = $(modcat_LDFLAGS)

# Writes projects for drivers outside of this tree, by templates.
templatesdir = $(pkgdatadir)/driver-new
driver_new = tools/driver-new
dist_templates_DATA = $(driver_new)/Makefile.am.in $(driver_new)/README.md.in \
	$(driver_new)/changelog.in $(driver_new)/configure.ac.in $(driver_new)/control.in \
	$(driver_new)/copyright.in $(driver_new)/format.in $(driver_new)/gitignore.in \
	$(driver_new)/layer.c.in $(driver_new)/layer.manual.in $(driver_new)/layer.test.in \
	$(driver_new)/listener.c.in $(driver_new)/listener.manual.in $(driver_new)/listener.test.in \
	$(driver_new)/manual.head.in $(driver_new)/manual.tail.in \
	$(driver_new)/options.c.in $(driver_new)/options.manual.in $(driver_new)/options.test.in \
	$(driver_new)/rules.in $(driver_new)/test.head.in $(driver_new)/test.tail.in \
	$(driver_new)/type.c.in $(driver_new)/type.manual.in $(driver_new)/type.test.in
bin_SCRIPTS += modcat-driver-new
CLEANFILES += modcat-driver-new
EXTRA_DIST += $(driver_new)/modcat-driver-new.in
modcat-driver-new: $(driver_new)/modcat-driver-new.in Makefile
	$(AM_V_GEN)sed 's|@templatesdir@|$(templatesdir)|' \
		$(srcdir)/$(driver_new)/modcat-driver-new.in >$@.new && chmod 755 $@.new && mv -f $@.new $@
