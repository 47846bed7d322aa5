dist_noinst_SCRIPTS = tools/abi-baseline tools/bench tools/check tools/figures tools/format tools/fuzz \
	tools/install-packages tools/known-words \
	tools/quickstart tools/random-sessions tools/results tools/setup

# Checks drivers, with the program's own code: it shows drivers the same services as modcat does.
bin_PROGRAMS += modcat-driver-check
modcat_driver_check_SOURCES = tools/driver-check/main.c tools/driver-check/check.h \
	tools/driver-check/object.c tools/driver-check/opening.c tools/driver-check/run.c \
	tools/driver-check/tables.c
modcat_driver_check_LDADD =
modcat_driver_check_DEPENDENCIES = libcore.a core/modcat.map
modcat_driver_check_LDFLAGS = $(modcat_LDFLAGS)
