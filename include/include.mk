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

# A driver outside of this tree: what modcat-driver-new writes.
EXTRA_DIST += examples/upper/.gitignore examples/upper/README.md examples/upper/Makefile.am \
	examples/upper/configure.ac examples/upper/modcat-upper.7 examples/upper/upper.c \
	examples/upper/upper_test examples/upper/debian/changelog examples/upper/debian/control \
	examples/upper/debian/copyright examples/upper/debian/rules \
	examples/upper/debian/source/format
