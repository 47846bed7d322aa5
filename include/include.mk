# The driver API, installed.
modcatincludedir = $(includedir)/modcat
modcatinclude_HEADERS = include/modcat/driver.h include/modcat/layer.h include/modcat/net.h \
	include/modcat/process.h include/modcat/tty.h

# What a driver is linked with, so that it exports nothing but its description.
dist_pkgdata_DATA = include/driver.map

# What finds them: for pkg-config, and for the configure.ac of a driver.
pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = modcat.pc
aclocaldir = $(datadir)/aclocal
dist_aclocal_DATA = m4/modcat.m4

# A driver outside of this tree, to be copied.
EXTRA_DIST += examples/upper/README.md examples/upper/Makefile.am examples/upper/configure.ac \
	examples/upper/modcat-upper.7 examples/upper/upper.c examples/upper/upper_test
